"""The end of a run: where results lie, and what to do about failures."""

from pathlib import Path

import pytest

from imageloom.app import RunOutcome
from imageloom.cli.runs.summary import final_outputs, run_failure, run_screen
from imageloom.cli.screen import open_console, print_all
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState

OUTPUT = Output(type="Number", object="ab" * 32, digest="cd" * 32, size_bytes=1)


def outcome(
    nodes: dict[str, NodeFacts],
    edges: tuple[tuple[str, str], ...] = (),
    state: RunState = RunState.COMPLETED,
    wanted: tuple[str, ...] = (),
) -> RunOutcome:
    record = RunRecord(
        id="20261123-051233-4f2a",
        name="Toys",
        pipeline={"edges": [{"from": begin, "to": end} for begin, end in edges]},
        base="/",
        resolved={node: ResolvedRecord(component="toy", version=1, params={}) for node in nodes},
        wanted=wanted or tuple(nodes),
        created=0.0,
    )
    run = RunFolder(Path("/w/runs") / record.id)
    return RunOutcome(run=run, record=record, state=state, nodes=nodes)


def facts(state: NodeState, *ports: str, **more) -> NodeFacts:
    return NodeFacts(state=state, time=1.0, outputs=dict.fromkeys(ports, OUTPUT), **more)


def failed(message: str) -> NodeFacts:
    error = {"type": "InvalidDatasetError", "code": "0018", "message": message, "hint": "Mend it."}
    return facts(NodeState.FAILED, error=error)


def test_final_outputs_are_those_that_no_other_node_took():
    nodes = {
        "split": facts(NodeState.COMPLETED, "first", "second"),
        "train": facts(NodeState.CACHED, "model"),
        "later": facts(NodeState.NOT_RUN),
    }
    edges = (("split.first", "train.training"), ("train.model", "score.model"))
    places = [str(place) for place in final_outputs(outcome(nodes, edges))]
    folder = "/w/runs/20261123-051233-4f2a/nodes"
    # 'score' is not part of this run, so nobody in it took the model.
    assert places == [f"{folder}/split/outputs/second", f"{folder}/train/outputs/model"]


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.RUNNING])
def test_a_run_that_is_complete_or_goes_on_is_no_failure(state):
    assert run_failure(outcome({}, state=state), "", "resume") is None


def test_every_failed_node_is_named_with_reason_and_hint():
    nodes = {"a": failed("One."), "b": facts(NodeState.COMPLETED), "c": failed("Two.\nThree.")}
    failure = run_failure(outcome(nodes, state=RunState.FAILED), "", "imageloom run --resume X")
    assert failure.exit_code == 1
    assert failure.resume_command == "imageloom run --resume X"
    assert failure.error.message.splitlines() == [
        "a: InvalidDatasetError (0018)",
        "  One.",
        "  Mend it.",
        "c: InvalidDatasetError (0018)",
        "  Two.",
        "  Three.",
        "  Mend it.",
    ]


def test_of_many_failed_nodes_the_first_are_told_and_the_others_counted():
    nodes = {f"n{number}": failed("No.") for number in range(8)}
    failure = run_failure(outcome(nodes, state=RunState.FAILED), "", "")
    assert "n4: " in failure.error.message
    assert "n5: " not in failure.error.message
    assert failure.error.message.endswith("and 3 other nodes")
    assert failure.error.details["nodes"] == list(nodes)


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("Ctrl+C", 130, "Stopped by Ctrl+C."),
        ("SIGTERM", 143, "Stopped by SIGTERM."),
        ("", 130, "Stopped by a request to cancel."),
    ],
)
def test_a_cancelled_run_ends_as_its_signal_says(reason, code, words):
    failure = run_failure(outcome({}, state=RunState.CANCELLED), reason, "")
    assert (failure.exit_code, failure.error.code) == (code, "RUN-001")
    assert failure.error.message.startswith(words)


@pytest.mark.parametrize("width", [80, 120])
def test_names_times_and_runs_stay_whole_at_any_width(width, capsys):
    import sys

    nodes = {
        "train": facts(NodeState.CACHED, made_by=("20261122-101010-aaaa", "train"), seconds=90.0),
        "validation-pictures": facts(
            NodeState.COMPLETED_WITH_WARNINGS, warnings=("3 were left out.",), seconds=75.0
        ),
        "score": facts(NodeState.NOT_RUN, cause="train"),
        "late": facts(NodeState.WAITING),
    }
    console = open_console(sys.stdout)
    console.width = width
    print_all(console, run_screen(outcome(nodes)))
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    for words in ("validation-pictures", "completed with", "1 min 15 s", "1 warning"):
        assert words in text
    assert "20261122-101010-aaaa" in text
    assert "1 min 30 s" not in text, "a cached node took no time in this run"
    assert "Warning  validation-pictures: 3 were left out." in text
    assert "completed, 2 of 4 nodes done" in text
