"""When the executor is gone, what its workers did since is found out, and nothing is made up."""

import pytest

from imageloom.events import CancelToken
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.spec.job import ERROR_FILE, RESULT_FILE
from imageloom.spec.node_state import NodeState, RunState

from .engine import GATED, ToyEngine, forget_since, pipeline, states, wait_until


@pytest.fixture
def engine(tmp_path):
    return ToyEngine(tmp_path / "workspace")


def find(engine: ToyEngine, run: RunFolder) -> None:
    find_truth(run, workspace=engine.workspace, targets=engine.targets)


def test_a_job_that_ended_unwatched_is_known_by_its_answer(engine):
    (engine.base / "go").touch()
    run = engine.run(GATED)
    forget_since(run, "odd", "completed")
    assert states(run) == {"one": "completed", "odd": "running", "words": "waiting"}
    (run.node_folder("words") / RESULT_FILE).unlink()
    find(engine, run)
    assert run.state() is RunState.INTERRUPTED
    assert states(run) == {"one": "completed", "odd": "completed", "words": "waiting"}
    engine.target.started.clear()
    assert engine.execute(run) is RunState.COMPLETED
    assert engine.target.started == [], "what comes after it was in the cache"
    assert states(run)["words"] == "completed", "and it is of this run's own making"


def test_a_job_that_started_and_ended_unwatched_is_known_by_its_answer(engine):
    (engine.base / "go").touch()
    run = engine.run(GATED)
    forget_since(run, "odd", "running")
    assert states(run) == {"one": "completed", "odd": "waiting", "words": "waiting"}
    find(engine, run)
    assert states(run) == {"one": "completed", "odd": "completed", "words": "completed"}


def test_a_job_killed_between_its_result_and_its_answer_is_known_by_the_cache(engine):
    (engine.base / "go").touch()
    run = engine.run(GATED)
    forget_since(run, "odd", "completed")
    (run.node_folder("odd") / RESULT_FILE).unlink()
    find(engine, run)
    assert states(run)["odd"] == "completed"
    assert run.states()["odd"].made_by is None


def test_a_failure_nobody_saw_is_a_failure(engine):
    run = engine.run(pipeline(Node("bad", "fail", {"message": "Too bad."})))
    forget_since(run, "bad", "failed")
    find(engine, run)
    assert run.states()["bad"].error["message"] == "Too bad."


def test_a_job_without_any_answer_is_lost_and_done_again_when_the_run_goes_on(engine):
    (engine.base / "go").touch()
    run = engine.run(GATED)
    key = run.states()["odd"].key
    forget_since(run, "odd", "completed")
    (run.node_folder("odd") / RESULT_FILE).unlink()
    engine.store.forget(key)
    find(engine, run)
    facts = run.states()["odd"]
    assert (facts.state, facts.error["type"]) == (NodeState.FAILED, "WorkerLostError")
    assert (run.node_folder("odd") / ERROR_FILE).is_file()
    assert engine.execute(run) is RunState.COMPLETED


def test_a_node_that_only_waited_for_another_run_waits(engine):
    run = engine.new_run(pipeline(Node("one", "number")))
    run.append_node("one", NodeFacts(state=NodeState.RUNNING, time=1.0, message="waiting for x"))
    find(engine, run)
    assert states(run) == {"one": "waiting"}


def test_an_answer_of_an_earlier_execution_is_not_taken_for_one_of_this(engine):
    run = engine.run(pipeline(Node("file", "read", {"path": "n.txt"}), Node("bad", "fail")))
    assert states(run) == {"file": "failed", "bad": "failed"}
    engine.execute(run)
    lines = run.states_file.read_bytes().splitlines(keepends=True)
    last_start = max(i for i, line in enumerate(lines) if b'"run":"running"' in line)
    run.states_file.write_bytes(b"".join(lines[: last_start + 3]))
    for name in (RESULT_FILE, ERROR_FILE):  # as they are when the second execution begins
        (run.node_folder("bad") / name).unlink()
    assert states(run) == {"file": "waiting", "bad": "waiting"}
    find(engine, run)
    assert states(run) == {"file": "waiting", "bad": "waiting"}


def test_a_run_that_somebody_executes_is_left_to_them(engine):
    run = engine.new_run(GATED)
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("odd") == "running")
        text = run.states_file.read_bytes()
        find(engine, run)
        assert run.states_file.read_bytes() == text
        (engine.base / "go").touch()


def test_a_run_that_cannot_be_written_is_left_as_it_is(engine):
    (engine.base / "go").touch()
    run = engine.run(GATED)
    forget_since(run, "odd", "completed")
    run.lock_file.unlink()
    run.lock_file.mkdir()  # root may write everywhere
    before = run.states_file.read_bytes()
    find(engine, run)
    assert run.states_file.read_bytes() == before


def test_finding_the_truth_twice_writes_nothing_the_second_time(engine):
    (engine.base / "go").touch()
    run = engine.run(GATED)
    forget_since(run, "odd", "completed")
    find(engine, run)
    text = run.states_file.read_bytes()
    find(engine, run)
    assert run.states_file.read_bytes() == text
