"""A run is drawn as a line for each change of a state, with what nodes tell between them."""

import io

import pytest

from imageloom.cli.progress import LineReporter
from imageloom.cli.runs.screen import RunScreen, state_line
from imageloom.cli.screen import open_console
from imageloom.events import Metric, Notice, Progress
from imageloom.pipeline.run.events import NodeChanged, NodeEvent, RunNotice
from imageloom.pipeline.run_record import NodeFacts
from imageloom.spec.node_state import NodeState


def facts(state: NodeState, **more) -> NodeFacts:
    return NodeFacts(state=state, time=1.0, **more)


ERROR = {
    "type": "InvalidDatasetError",
    "code": "0018",
    "message": "Empty\x1b[2J.\nVery.",
    "hint": "Fill.",
}


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (
            facts(NodeState.WAITING, message="waiting for run X, which uses the only slot"),
            "waiting for run X, which uses the only slot",
        ),
        (facts(NodeState.RUNNING), "running"),
        (
            facts(NodeState.RUNNING, message="waiting for run X, which makes the same"),
            "running: waiting for run X, which makes the same",
        ),
        (
            facts(NodeState.CACHED, made_by=("20261123-1", "b"), seconds=9.0),
            "cached from 20261123-1",
        ),
        (facts(NodeState.COMPLETED, seconds=65.0), "completed in 1 min 05 s"),
        (
            facts(NodeState.COMPLETED_WITH_WARNINGS, warnings=("a", "b"), seconds=2.0),
            "completed with warnings in 2 s",
        ),
        (
            facts(NodeState.FAILED, error=ERROR),
            "failed: InvalidDatasetError (0018): Empty\\x1b[2J.",
        ),
        (facts(NodeState.CANCELLED), "cancelled"),
        (facts(NodeState.NOT_RUN, cause="train"), "not run because train failed"),
    ],
)
def test_each_state_is_one_line(node, words):
    assert state_line(node).plain == words


def drawn(events, nodes=("net", "train")) -> list[str]:
    stream = io.StringIO()
    reporter = LineReporter(open_console(stream))
    screen = RunScreen(reporter, nodes)
    for event in events:
        screen(event)
    reporter.close()
    return stream.getvalue().splitlines()


def test_names_stand_in_one_column_and_waiting_is_not_told():
    events = [
        NodeChanged("train", facts(NodeState.WAITING)),
        NodeChanged("net", facts(NodeState.RUNNING)),
        NodeChanged("net", facts(NodeState.COMPLETED, seconds=1.0)),
        NodeChanged("train", facts(NodeState.RUNNING)),
    ]
    assert drawn(events) == ["net    running", "net    completed in 1 s", "train  running"]


def test_the_same_news_is_told_once():
    running = facts(NodeState.RUNNING, message="waiting")
    again = running.model_copy(update={"time": 2.0})
    events = [NodeChanged("net", running), NodeChanged("net", again)]
    assert drawn(events) == ["net    running: waiting"]


def test_what_a_node_tells_begins_with_its_name_and_its_last_epoch_comes_before_its_end():
    metrics = [Metric(name, 0.5, 1, 10) for name in ("Train loss", "Valid loss")]
    events = [
        NodeChanged("train", facts(NodeState.RUNNING)),
        *(NodeEvent("train", metric) for metric in metrics),
        NodeEvent("net", Notice("warning", "careful")),
        NodeEvent("train", Progress("Epoch 2", 1, 10, "steps")),
        NodeChanged("train", facts(NodeState.COMPLETED, seconds=3.0)),
    ]
    assert drawn(events) == [
        "train  running",
        "net    Warning: careful",
        "train  epoch  train loss  valid loss    top-1    top-5  images/s",
        "train      1      0.5000      0.5000        -        -         -  best",
        "train  completed in 3 s",
    ]


def test_a_notice_of_the_run_has_no_name_before_it():
    assert drawn([RunNotice(Notice("info", "The database was made again."))]) == [
        "The database was made again."
    ]


def test_a_very_long_name_does_not_move_the_others_off_the_screen():
    name = "n" * 64
    lines = drawn([NodeChanged("net", facts(NodeState.RUNNING))], nodes=("net", name))
    assert lines == [f"{'net':<26}  running"]
