"""Who shows a run that goes on hears everything once, whoever was killed meanwhile (J06, J09)."""

import json
import subprocess
import sys

import pytest

from imageloom.errors import NoSuchRunError, StoreCorruptError
from imageloom.events import CancelToken, Metric, Notice, Progress
from imageloom.files.event_lines import EventWriter
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run.changes import read_changes, read_told
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import EVENTS_FILE
from imageloom.spec.node_state import NodeState, RunState

from .engine import ToyEngine, pipeline, wait_until
from .made_runs import make_run

READER = """
import json, sys
from pathlib import Path
from imageloom.pipeline.run.changes import read_changes
from imageloom.pipeline.run_folder import RunFolder

found = read_changes(RunFolder(Path(sys.argv[1])), int(sys.argv[2]), generation=sys.argv[3])
print(json.dumps([[one.line.node or one.line.run, one.position] for one in found.changes]))
"""


@pytest.fixture
def run(tmp_path):
    return make_run(Workspace(tmp_path), "20260101-000000-0000", state=None)


def facts(state: NodeState) -> NodeFacts:
    return NodeFacts(state=state, time=1.0)


def heard(changes) -> list[str]:
    """Return what changed: a state of the run, or a node with its state."""
    lines = [one.line for one in changes.changes]
    return [line.run or f"{line.node} {line.facts.state}" for line in lines]


def test_a_run_that_never_began_has_no_changes(run):
    found = read_changes(run, 0)
    assert (found.changes, found.position, found.is_cut, found.is_executed) == ((), 0, False, False)


def test_changes_are_read_once_and_from_any_of_their_positions(run):
    run.append_run(RunState.RUNNING)
    run.append_node("split", facts(NodeState.RUNNING))
    first = read_changes(run, 0)
    assert heard(first) == ["running", "split running"]
    assert read_changes(run, first.position, generation=first.generation).changes == ()
    run.append_node("split", facts(NodeState.COMPLETED))
    assert heard(read_changes(run, first.position)) == ["split completed"]
    assert heard(read_changes(run, first.changes[0].position)) == [
        "split running",
        "split completed",
    ]


def test_another_process_goes_on_where_one_that_was_killed_left_off(run):
    run.append_run(RunState.RUNNING)
    seen = read_changes(run, 0)
    run.append_node("split", facts(NodeState.RUNNING))
    words = [str(run.path), str(seen.position), seen.generation]
    done = subprocess.run(
        [sys.executable, "-c", READER, *words], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [["split", run.states_file.stat().st_size]]


def test_a_line_that_a_killed_executor_left_torn_is_counted_when_the_next_one_writes(run):
    run.append_run(RunState.RUNNING)
    start = read_changes(run, 0).position
    run.append_node("split", facts(NodeState.RUNNING))
    run.states_file.write_bytes(run.states_file.read_bytes()[:-10])
    torn = read_changes(run, start)
    assert (torn.changes, torn.position, torn.is_cut) == ((), start, False)
    run.append_run(RunState.RUNNING)
    found = read_changes(run, start)
    assert (heard(found), found.damaged_lines, found.is_cut) == (["running"], 1, False)


def test_a_file_of_states_that_was_put_back_is_told(run):
    run.append_run(RunState.RUNNING)
    backup = run.states_file.read_bytes()
    run.append_node("split", facts(NodeState.RUNNING))
    seen = read_changes(run, 0)
    run.states_file.write_bytes(backup)
    found = read_changes(run, seen.position, generation=seen.generation)
    assert (found.is_cut, heard(found)) == (True, ["running"])


def test_whoever_executes_the_run_is_seen_to_come_and_go_without_a_change(run):
    with run.execution_lock():
        assert read_changes(run, 0).is_executed
    assert not read_changes(run, 0).is_executed


def test_all_changes_of_an_execution_are_heard_by_who_looks_while_it_goes_on(tmp_path):
    engine = ToyEngine(tmp_path)
    run = engine.new_run(pipeline(Node("odd", "odd", {"how": "gate", "gate": "go"})))
    position, states = 0, []

    def look() -> list[str]:
        nonlocal position
        found = read_changes(run, position)
        position = found.position
        states.extend(heard(found))
        return states

    with engine.executing(run, CancelToken()):
        wait_until(lambda: "odd running" in look())
        (tmp_path / "go").touch()
        wait_until(lambda: "completed" in look())
    assert states == ["running", "odd waiting", "odd running", "odd completed", "completed"]


def test_what_is_not_there_or_cannot_be_read_is_named(run, tmp_path):
    with pytest.raises(NoSuchRunError, match="There is no run 20260101-000000-0001"):
        read_changes(Workspace(tmp_path).run("20260101-000000-0001"), 0)
    run.states_file.mkdir()
    with pytest.raises(StoreCorruptError, match=r"states\.jsonl cannot be read"):
        read_changes(run, 0)


def test_what_a_node_told_is_read_once_with_positions(run):
    events = [Progress("Looking", 1, 2, "images"), Metric("Valid loss", 0.5, epoch=1.0, step=3)]
    assert read_told(run, "train", 0).events == ()
    file = run.node_folder("train") / EVENTS_FILE
    writer = EventWriter(file)
    for event in events:
        writer(event)
    found = read_told(run, "train", 0)
    assert [event for event, _ in found.events] == events
    with file.open("ab") as lines:
        lines.write(b"torn by a killed worker\n")
    writer(Notice("info", "All is well."))
    writer.close()
    again = read_told(run, "train", found.position, generation=found.generation)
    assert again.events == ((Notice("info", "All is well."), file.stat().st_size),)
    assert read_told(run, "train", found.events[0][1]).events[0][0] == events[1]
    with pytest.raises(NoSuchRunError, match="No node is called"):
        read_told(run, "../train", 0)
