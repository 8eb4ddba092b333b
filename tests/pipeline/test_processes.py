"""Real worker processes: whatever they do is a failed node with a reason, and nothing else."""

import json

import pytest

from imageloom.errors import printable
from imageloom.events import CancelToken
from imageloom.files.locks import is_locked
from imageloom.files.log_parts import read_part
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run import jobs
from imageloom.pipeline.run.events import NodeEvent
from imageloom.spec.job import ERROR_FILE, LOG_FILE
from imageloom.spec.node_state import NodeState, RunState

from .engine import ToyEngine, pipeline, states, value, wait_until
from .executor_process import local_targets, start_executor, toy_extensions, with_extensions

pytestmark = pytest.mark.processes

DEADLY = {
    "killed": "killed by signal 9 (SIGKILL)",
    "crash": "killed by signal 11 (SIGSEGV)",
    "leave_hard": "ended with exit code 0",
}


@pytest.fixture
def engine(tmp_path):
    engine = ToyEngine(tmp_path / "workspace")
    engine.targets = local_targets(with_extensions(toy_extensions(tmp_path / "extensions")))
    return engine


def odd(id: str, how: str, gate: str = "") -> Node:
    return Node(id, "odd", {"how": how, "gate": gate})


@pytest.mark.slow
def test_workers_that_die_or_misbehave_fail_alone(engine):
    nodes = pipeline(
        *(odd(how, how) for how in (*DEADLY, "leave", "nothing", "chatter")),
        odd("orphan", "orphan", "pids"),
        Node("after", "spell"),
        Node("fine", "number"),
        Node("words", "spell"),
        edges=("crash.value > after.number", "fine.value > words.number"),
    )
    run = engine.run(nodes)
    assert run.state() is RunState.FAILED
    assert states(run) == {
        **dict.fromkeys((*DEADLY, "leave", "nothing", "orphan"), "failed"),
        "chatter": "completed",
        "after": "not run",
        "fine": "completed",
        "words": "completed",
    }
    facts = run.states()
    assert facts["after"].cause == "crash"
    assert facts["leave"].error["type"] == "LibraryError"
    assert facts["nothing"].error["type"] == "FailedToWriteOutputsError"
    for how, reason in DEADLY.items():
        error = facts[how].error
        assert error["type"] == "WorkerLostError"
        assert error["message"] == f"The worker of node '{how}' gave no answer: {reason}."
        written = json.loads((run.node_folder(how) / ERROR_FILE).read_text(encoding="utf-8"))
        assert written == error
    for how, begin in {"crash": "Fatal Python error:", "nothing": "20", "leave": "20"}.items():
        log, place = run.node_folder(how) / LOG_FILE, facts[how].error["log_position"]
        part = read_part(log, place["offset"], max_bytes=1000)
        assert part.text.startswith(begin)
        assert (" ERROR Traceback (most recent" in part.text) == (begin == "20")
        assert part.generation == place["generation"]
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        assert part.text.startswith(lines[place["line"] - 1])
    assert "log_position" not in facts["killed"].error  # it had no time to say anything
    keys = [one.key for one in facts.values() if one.key]
    assert not any(is_locked(engine.workspace.work_lock(key)) for key in keys)
    assert b"\x00\x01\x02" in (run.node_folder("chatter") / LOG_FILE).read_bytes()


def test_a_flood_of_output_is_cut_while_the_node_runs(engine, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_LOG_BYTES", 100_000)
    run = engine.run(pipeline(odd("odd", "chatter")))
    assert states(run) == {"odd": "completed"}
    assert (run.node_folder("odd") / LOG_FILE).stat().st_size < 110_000


def test_an_error_of_another_process_shows_no_control_characters(engine):
    run = engine.run(pipeline(Node("bad", "fail", {"message": "\x1b]0;title\x07"})))
    message = run.states()["bad"].error["message"]
    assert message == printable(message) == r"\x1b]0;title\x07"


def test_cancelled_processes_save_and_go_on(engine):
    run, token = engine.new_run(pipeline(odd("odd", "gate", "go"))), CancelToken()
    with engine.executing(run, token) as ends:
        wait_until(lambda: any(isinstance(event, NodeEvent) for event in engine.events))
        token.set("Ctrl+C")
    assert ends == [RunState.CANCELLED]
    assert run.states()["odd"].state is NodeState.CANCELLED
    (engine.base / "go").touch()
    assert engine.execute(run) is RunState.COMPLETED
    assert value(run, "odd", "value") == "2"


@pytest.mark.slow
def test_two_executors_make_a_node_once(engine, tmp_path):
    nodes = pipeline(
        odd("odd", "gate", "go"), Node("words", "spell"), edges=("odd.value > words.number",)
    )
    runs = [engine.new_run(nodes) for _ in range(3)]
    executors = [start_executor(run, tmp_path / "extensions") for run in runs]
    wait_until(lambda: all(states(run).get("odd") == "running" for run in runs))
    (engine.base / "go").touch()
    assert [executor.wait() for executor in executors] == [0, 0, 0]
    made = sorted(states(run)["odd"] for run in runs)
    assert made == ["cached", "cached", "completed"]
    assert {value(run, "words", "text") for run in runs} == {"the number 1"}
