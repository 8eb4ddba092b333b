"""Who cancels a run keeps what is finished, and can go on from there."""

import os
import time

import pytest

from imageloom.events import CancelToken
from imageloom.files.locks import release, try_lock
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run import jobs
from imageloom.pipeline.run.cancel import request_cancel, wait_for_end
from imageloom.pipeline.run.execute import execute
from imageloom.pipeline.run_record import NodeFacts
from imageloom.spec.job import STOP_ASKED_FILE
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import JobStatus

from .engine import ToyEngine, pipeline, states, value, wait_until


def gated(how: str = "gate"):
    """Return a pipeline with a finished node, one that waits for ``go``, and one after it."""
    return pipeline(
        Node("one", "number"),
        Node("odd", "odd", {"how": how, "gate": "go"}),
        Node("words", "spell"),
        edges=("one.value > odd.after", "odd.value > words.number"),
    )


@pytest.fixture
def engine(tmp_path):
    return ToyEngine(tmp_path)


def request(engine: ToyEngine, run, *, at_once: bool = False) -> None:
    request_cancel(run, workspace=engine.workspace, targets=engine.targets, at_once=at_once)


def wait(engine: ToyEngine, run, timeout_s: float = 20.0) -> RunState:
    return wait_for_end(
        run, workspace=engine.workspace, targets=engine.targets, timeout_s=timeout_s
    )


def cancel(engine: ToyEngine, run, timeout_s: float = 20.0, *, at_once: bool = False) -> RunState:
    request(engine, run, at_once=at_once)
    return wait(engine, run, timeout_s)


def is_waiting(engine: ToyEngine, run) -> bool:
    """Whether the node ``odd`` waits at its gate."""
    key = run.states()["odd"].key if "odd" in run.states() else ""
    return bool(key) and (engine.workspace.work_scratch(key) / "began").exists()


def assert_cancelled(run) -> None:
    assert run.state() is RunState.CANCELLED
    assert states(run) == {"one": "completed", "odd": "cancelled", "words": "cancelled"}
    assert not (run.node_folder("odd") / "error_info.json").exists()


def test_a_token_cancels_a_run_which_goes_on_from_scratch(engine):
    run, token = engine.new_run(gated()), CancelToken()
    with engine.executing(run, token) as ends:
        wait_until(lambda: is_waiting(engine, run))
        token.set("Ctrl+C")
    assert ends == [RunState.CANCELLED]
    assert_cancelled(run)
    (engine.base / "go").touch()
    assert engine.execute(run) is RunState.COMPLETED
    assert engine.target.started == ["one", "odd", "odd", "words"]
    assert value(run, "odd", "value") == "2", "it found what the first had left in scratch"


def test_a_file_cancels_a_run_from_another_process(engine):
    run = engine.new_run(gated())
    with engine.executing(run, CancelToken()) as ends:
        wait_until(lambda: is_waiting(engine, run))
        assert cancel(engine, run) is RunState.CANCELLED
    assert ends == [RunState.CANCELLED]
    assert_cancelled(run)


def test_a_run_that_was_cancelled_by_file_goes_on(engine):
    run = engine.new_run(gated())
    with engine.executing(run, CancelToken()):
        wait_until(lambda: is_waiting(engine, run))
        cancel(engine, run)
    (engine.base / "go").touch()
    assert engine.execute(run) is RunState.COMPLETED


def test_what_completes_after_the_wish_to_stop_counts(engine):
    run, token = engine.new_run(gated("deaf")), CancelToken()
    with engine.executing(run, token):
        wait_until(lambda: is_waiting(engine, run))
        token.set("Ctrl+C")
        wait_until(lambda: states(run)["words"] == "cancelled")
        (engine.base / "go").touch()
    assert states(run) == {"one": "completed", "odd": "completed", "words": "cancelled"}


class EndedTarget:
    """A target whose job runs until it is ended, and heeds nothing else."""

    name, title, help = "local", "Ended", "Ends when it is ended."

    def __init__(self, limits) -> None:
        self.limits = limits
        self.stops: list[bool] = []

    def start(self, _folder, _work, **_lock):
        self.stops.clear()

    def status(self, _folder):
        if True in self.stops:
            return JobStatus("ended", reason="killed by signal 9 (SIGKILL)")
        return JobStatus("running")

    def end_signal(self, _folder):
        return None

    def stop(self, _folder, *, at_once):
        self.stops.append(at_once)


@pytest.fixture
def deaf(engine, monkeypatch):
    target = EndedTarget(engine.target.limits)
    monkeypatch.setattr(engine, "target", target)
    monkeypatch.setattr(engine.targets, "_items", {"local": target})
    return target


def test_a_second_wish_ends_at_once_and_asks_only_once_each(engine, deaf):
    run, token = engine.new_run(pipeline(Node("one", "number"))), CancelToken()
    with engine.executing(run, token):
        wait_until(lambda: states(run).get("one") == "running")
        token.set("Ctrl+C")
        wait_until(lambda: deaf.stops == [False])
        assert states(run) == {"one": "running"}
        token.set("Ctrl+C")
    assert deaf.stops == [False, True]
    assert states(run) == {"one": "cancelled"}
    assert run.states()["one"].message == (
        "Its worker ended before it had saved: killed by signal 9 (SIGKILL)."
    )


def test_who_does_not_save_in_time_is_ended(engine, deaf, monkeypatch):
    monkeypatch.setattr(jobs, "SAVE_TIMEOUT_S", 0.02)
    run, token = engine.new_run(pipeline(Node("one", "number"))), CancelToken()
    with engine.executing(run, token):
        wait_until(lambda: states(run).get("one") == "running")
        token.set("Ctrl+C")
    assert states(run) == {"one": "cancelled"}


def test_cancelling_a_second_time_from_another_process_changes_nothing(engine, deaf):
    run = engine.new_run(pipeline(Node("one", "number")))
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("one") == "running")
        for _ in range(2):
            request(engine, run)
            assert wait(engine, run, timeout_s=0.2) is RunState.RUNNING
        assert deaf.stops == [False]
        assert cancel(engine, run, at_once=True) is RunState.CANCELLED
    assert deaf.stops == [False, True]


def test_a_run_is_ended_at_once_by_the_first_who_wants_that(engine, deaf):
    run = engine.new_run(pipeline(Node("one", "number")))
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("one") == "running")
        assert cancel(engine, run, at_once=True) is RunState.CANCELLED
    assert True in deaf.stops


def test_asking_from_here_and_by_a_token_lets_nodes_save(engine, deaf):
    run, token = engine.new_run(pipeline(Node("one", "number"))), CancelToken()
    with engine.executing(run, token):
        wait_until(lambda: states(run).get("one") == "running")
        token.set("Ctrl+C")
        request(engine, run)
        assert wait(engine, run, timeout_s=0.2) is RunState.RUNNING
        assert deaf.stops == [False]
        request(engine, run, at_once=True)


def test_a_request_does_not_wait_and_the_run_says_that_it_is_stopping(engine, deaf):
    run = engine.new_run(pipeline(Node("one", "number")))
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("one") == "running")
        assert not run.cancel_asked()
        request(engine, run)
        assert run.state() is RunState.RUNNING
        assert run.cancel_asked()
        assert not run.cancel_asked(at_once=True)
        request(engine, run, at_once=True)


def test_a_run_that_has_ended_stays_as_it_is(engine):
    run = engine.run(pipeline(Node("one", "number")))
    assert cancel(engine, run) is RunState.COMPLETED
    assert states(run) == {"one": "completed"}


def test_waiting_for_another_run_can_be_cancelled_without_harm_to_it(engine):
    nodes = pipeline(Node("odd", "odd", {"how": "gate", "gate": "go"}))
    first, second, token = engine.new_run(nodes), engine.new_run(nodes), CancelToken()
    with engine.executing(first, CancelToken()):
        wait_until(lambda: is_waiting(engine, first))
        with engine.executing(second, token):
            wait_until(lambda: states(second).get("odd") == "running")
            token.set("Ctrl+C")
        assert states(second) == {"odd": "cancelled"}
        assert states(first) == {"odd": "running"}
        (engine.base / "go").touch()
    assert states(first) == {"odd": "completed"}


def test_a_run_without_executor_is_cancelled_from_here(engine):
    run = engine.new_run(gated())
    with engine.executing(run, CancelToken()):
        wait_until(lambda: is_waiting(engine, run))
        text = run.states_file.read_bytes()
        engine.target.stop(run.node_folder("odd"), at_once=False)
    run.states_file.write_bytes(text)  # as if the executor had been killed when this was written
    assert run.state() is RunState.INTERRUPTED
    assert cancel(engine, run) is RunState.CANCELLED
    assert_cancelled(run)


def test_a_run_that_is_queued_is_cancelled_before_it_begins(engine):
    run = engine.new_run(pipeline(Node("one", "number")))
    assert run.state() is RunState.QUEUED
    assert cancel(engine, run) is RunState.CANCELLED
    assert states(run) == {"one": "cancelled"}
    assert engine.target.started == []


def left_behind(engine: ToyEngine, *nodes: Node):
    """Return a run whose nodes began, and whose executor is gone."""
    run = engine.new_run(pipeline(*nodes))
    run.append_run(RunState.RUNNING)
    for node in nodes:
        facts = NodeFacts(state=NodeState.RUNNING, time=1.0, started=1.0, key=f"key of {node.id}")
        run.append_node(node.id, facts)
        run.node_folder(node.id).mkdir(parents=True)
    assert run.state() is RunState.INTERRUPTED
    return run


def test_a_target_that_says_nothing_does_not_hold_up_who_cancels(engine, deaf, monkeypatch):
    run = left_behind(engine, Node("one", "number"))
    monkeypatch.setattr(deaf, "status", lambda _: JobStatus("unknown"))
    assert cancel(engine, run, timeout_s=0.1) is RunState.INTERRUPTED
    assert deaf.stops == [False]
    assert states(run) == {"one": "running"}
    release(try_lock(run.lock_file, "whoever goes on with it"))


def test_nodes_of_a_target_that_is_gone_do_not_keep_others_from_being_stopped(engine, deaf):
    elsewhere = Node("elsewhere", "number", settings={"target": "gone"})
    run = left_behind(engine, elsewhere, Node("one", "number"))
    assert cancel(engine, run, at_once=True) is RunState.INTERRUPTED
    assert states(run) == {"elsewhere": "running", "one": "cancelled"}
    with run.execution_lock():  # as if somebody went on with it
        assert cancel(engine, run, timeout_s=0.02) is RunState.RUNNING


def test_who_starts_a_run_at_that_moment_is_left_alone(engine):
    run = engine.new_run(pipeline(Node("one", "number")))
    descriptor = try_lock(run.lock_file, "process 1")
    try:
        assert cancel(engine, run, timeout_s=0.02) is RunState.RUNNING
    finally:
        release(descriptor)


def execute_as_asked_at(engine: ToyEngine, run, asked_at: float) -> RunState:
    return execute(
        run,
        workspace=engine.workspace,
        components=engine.components,
        targets=engine.targets,
        on_event=engine.hear,
        cancel=CancelToken(),
        asked_at=asked_at,
    )


@pytest.mark.parametrize("before", [None, RunState.FAILED])
def test_a_request_between_the_start_of_an_executor_and_its_lock_is_heeded(engine, before):
    run = engine.new_run(pipeline(Node("one", "number")))
    if before is not None:
        run.append_run(before)  # a run that ended, and is about to go on
    asked_at = time.time()
    request(engine, run)
    assert execute_as_asked_at(engine, run, asked_at) is RunState.CANCELLED
    assert engine.target.started == []
    assert states(run) == {"one": "cancelled"}
    assert engine.execute(run) is RunState.COMPLETED, "who asks for it after that has his way"


def test_a_request_that_is_older_than_the_wish_to_go_on_is_forgotten(engine):
    run = engine.new_run(pipeline(Node("one", "number")))
    request(engine, run, at_once=True)
    assert execute_as_asked_at(engine, run, time.time()) is RunState.COMPLETED
    assert not run.cancel_asked()
    assert not run.cancel_asked(at_once=True)


def test_a_job_that_was_left_behind_is_asked_once_whoever_asks_how_often(engine, deaf):
    run = left_behind(engine, Node("one", "number"))
    for _ in range(2):
        request(engine, run)
        assert run.state() is RunState.INTERRUPTED
        assert run.is_executed() is False
    assert deaf.stops == [False]
    request(engine, run, at_once=True)
    assert wait(engine, run) is RunState.CANCELLED
    assert deaf.stops == [False, True]


def test_a_job_that_was_asked_too_long_ago_by_another_process_is_ended(engine, deaf):
    run = left_behind(engine, Node("one", "number"))
    asked = run.node_folder("one") / STOP_ASKED_FILE
    asked.touch()
    os.utime(asked, (1.0, 1.0))
    assert cancel(engine, run) is RunState.CANCELLED
    assert deaf.stops == [True]


def test_a_run_that_nobody_asked_to_stop_is_only_waited_for(engine):
    run = engine.new_run(gated())
    with engine.executing(run, CancelToken()):
        wait_until(lambda: is_waiting(engine, run))
        assert wait(engine, run, timeout_s=0.05) is RunState.RUNNING
        (engine.base / "go").touch()
        assert wait(engine, run) is RunState.COMPLETED
    left = left_behind(engine, Node("one", "number"))
    assert wait(engine, left) is RunState.INTERRUPTED
