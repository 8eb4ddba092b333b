"""A real executor dies while its real worker lives: the worker is found, waited for or stopped."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from imageloom.events import CancelToken
from imageloom.files.locks import holder, is_locked
from imageloom.pipeline.run.cancel import request_cancel, wait_for_end
from imageloom.pipeline.run.events import NodeChanged
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run_folder import RunFolder
from imageloom.spec.node_state import NodeState, RunState
from imageloom.targets.local import WORKER_FILE, Worker

from .engine import GATED, ToyEngine, forget_since, states, value, wait_until
from .executor_process import local_targets, start_executor, toy_extensions, with_extensions

pytestmark = pytest.mark.processes


@pytest.fixture
def engine(tmp_path):
    return ToyEngine(tmp_path / "workspace")


def find(engine: ToyEngine, run: RunFolder) -> None:
    find_truth(run, workspace=engine.workspace, targets=engine.targets)


@contextmanager
def executor_killed_at_the_gate(engine: ToyEngine, tmp_path) -> Iterator[RunFolder]:
    """Kill a real executor with -9 while its real worker waits; end the worker in the end."""
    run = engine.new_run(GATED)
    extensions = toy_extensions(tmp_path / "extensions")
    engine.targets = local_targets(with_extensions(extensions))
    executor = start_executor(run, extensions)
    wait_until(lambda: states(run).get("odd") == "running" and has_begun(engine, run))
    executor.kill()
    executor.wait()
    try:
        yield run
    finally:
        engine.targets.get("local").stop(run.node_folder("odd"), at_once=True)


def has_begun(engine: ToyEngine, run: RunFolder) -> bool:
    return (engine.workspace.work_scratch(run.states()["odd"].key) / "began").exists()


def worker_of(run: RunFolder) -> psutil.Process:
    content = (run.node_folder("odd") / WORKER_FILE).read_bytes()
    return psutil.Process(Worker.model_validate_json(content).pid)


@pytest.mark.slow
def test_a_living_worker_is_picked_up_and_not_started_twice(engine, tmp_path):
    with executor_killed_at_the_gate(engine, tmp_path) as run:
        find(engine, run)
        assert run.state() is RunState.INTERRUPTED
        assert states(run) == {"one": "completed", "odd": "running", "words": "waiting"}
        text = run.states_file.read_bytes()
        find(engine, run)
        assert run.states_file.read_bytes() == text, "nothing new is known"
        forget_since(run, "odd", "running")  # as if it had been killed a moment earlier
        find(engine, run)
        assert states(run)["odd"] == "running"
        with engine.executing(run, CancelToken()) as ends:
            wait_until(lambda: run.state() is RunState.RUNNING)
            (engine.base / "go").touch()
        assert ends == [RunState.COMPLETED]
        assert value(run, "words", "text") == "the number 1", "it was begun once"
        assert engine.history("odd") == [NodeState.RUNNING, NodeState.COMPLETED]
        changes = (event for event in engine.events if isinstance(event, NodeChanged))
        picked_up = next(event.facts for event in changes if event.node_id == "odd")
        assert picked_up.message.startswith("picked up again")
        assert picked_up.started == run.states()["odd"].started


@pytest.mark.slow
def test_a_worker_holds_its_slot_of_the_machine_also_without_its_executor(engine, tmp_path):
    with executor_killed_at_the_gate(engine, tmp_path) as run:
        slots = engine.targets.get("local").limits.slots["light"]
        assert [who for slot in slots if (who := holder(slot))] == [f"run {run.id} (node 'odd')"]
        worker_of(run).kill()
        wait_until(lambda: not any(map(is_locked, slots)))


@pytest.mark.slow
def test_a_worker_killed_while_nobody_watched_is_lost(engine, tmp_path):
    with executor_killed_at_the_gate(engine, tmp_path) as run:
        worker_of(run).kill()
        wait_until(lambda: not is_alive(run))
        find(engine, run)
        facts = run.states()["odd"]
        assert facts.state is NodeState.FAILED
        assert "ended while nobody watched it" in facts.error["message"]
        (engine.base / "go").touch()
        assert engine.execute(run) is RunState.COMPLETED
        assert value(run, "words", "text") == "the number 2"


def is_alive(run: RunFolder) -> bool:
    try:
        return worker_of(run).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
def test_a_run_without_executor_is_cancelled_with_its_workers(engine, tmp_path):
    with executor_killed_at_the_gate(engine, tmp_path) as run:
        for _ in range(2):
            request_cancel(run, workspace=engine.workspace, targets=engine.targets)
        state = wait_for_end(run, workspace=engine.workspace, targets=engine.targets)
        assert state is RunState.CANCELLED
        assert states(run) == {"one": "completed", "odd": "cancelled", "words": "cancelled"}
        assert not is_alive(run)


@pytest.mark.slow
def test_ctrl_c_reaches_the_executor_only_and_the_worker_saves(engine, tmp_path):
    run = engine.new_run(GATED)
    executor = start_executor(run, toy_extensions(tmp_path / "extensions"))
    wait_until(lambda: states(run).get("odd") == "running" and has_begun(engine, run))
    os.killpg(executor.pid, signal.SIGINT)  # as a terminal does
    assert executor.wait() == 1
    assert states(run) == {"one": "completed", "odd": "cancelled", "words": "cancelled"}
    assert run.states()["odd"].message == ""
