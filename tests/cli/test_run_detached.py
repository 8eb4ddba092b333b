"""``imageloom run --detach``: a run that outlives whatever started it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from imageloom.app import Engine
from imageloom.cli.root import run as run_command
from imageloom.errors import (
    OutputInUseError,
    RunInterruptedError,
    StoreCorruptError,
    WorkerLostError,
)
from imageloom.events import CancelToken
from imageloom.pipeline.graph.json_format import read_pipeline
from imageloom.pipeline.run.request import Asked
from imageloom.pipeline.run_folder import RunFolder
from imageloom.settings import read_settings
from imageloom.spec.job import JOB_FILE
from imageloom.spec.node_state import NodeState, RunState

pytestmark = pytest.mark.processes

TESTS = Path(__file__).parents[1]
DEADLINE_S = 60.0
STARTER = """
import os, sys, time
from pathlib import Path
from imageloom.app import Engine
from imageloom.settings import read_settings

engine = Engine(read_settings(os.environ))
print(engine.start(engine.find_run("last")).state, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _environment(tmp_path, monkeypatch):
    """Let processes find the toys, in a workspace of the test."""
    monkeypatch.syspath_prepend(str(TESTS))
    from pipeline.executor_process import toy_extensions

    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(toy_extensions(tmp_path / "extensions")))
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))


@pytest.fixture
def engine(monkeypatch, _environment) -> Engine:
    """An engine that knows the toys; it only creates, starts and looks."""
    from pipeline.engine import all_toys

    monkeypatch.setattr(Engine, "components", all_toys())
    return Engine(read_settings(os.environ))


@pytest.fixture
def gated(write) -> str:
    """The file of a pipeline whose node waits for the file ``open``."""
    return write(gate=("odd", {"how": "gate", "gate": "open"}))


@pytest.fixture
def created(engine, gated) -> Iterator[RunFolder]:
    """A run that is queued; what was started for it is ended with the test."""
    path = Path(gated)
    run = engine.create(read_pipeline(path), Asked(base=path.parent))
    yield run
    (path.parent / "open").touch()
    wait_until(lambda: run.state() is not RunState.RUNNING)


def wait_until(is_so) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def works_at_gate(run: RunFolder) -> bool:
    return "gate" in run.states() and run.states()["gate"].started is not None


def executor_of(run: RunFolder) -> psutil.Process:
    return psutil.Process(int(run.lock_file.read_text(encoding="utf-8").split()[1]))


@contextmanager
def starter(run: RunFolder) -> Iterator["subprocess.Popen[str]"]:
    """Start a run from a process of its own, which has a session of its own as a terminal has."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_the_command_returns_when_the_run_has_begun_and_says_how_to_go_on(
    gated, engine, tmp_path, capsys
):
    assert run_command(["run", "--detach", gated]) == 0
    run = engine.find_run("last")
    said = capsys.readouterr().out
    assert said.startswith(f"Run      {run.id} running\n")
    assert f"Show     imageloom runs show {run.id}\n" in said
    assert f"Follow   imageloom runs logs {run.id} --follow\n" in said
    assert f"Stop     imageloom runs cancel {run.id}\n" in said
    assert os.getsid(executor_of(run).pid) == executor_of(run).pid, "it has its own session"
    wait_until(lambda: works_at_gate(run))
    assert run_command(["runs", "cancel", run.id, "--json"]) == 0
    assert run.state() is RunState.CANCELLED
    # The screen of the executor comes after the state, which is all that cancelling waits for.
    wait_until(lambda: f"{run.id} cancelled" in run.executor_log.read_text(encoding="utf-8"))
    (tmp_path / "open").touch()
    capsys.readouterr()
    assert run_command(["run", "--detach", "--resume", run.id, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["run"], content["log"]) == (run.id, str(run.executor_log))
    wait_until(lambda: run.state() is RunState.COMPLETED)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP])
def test_a_run_outlives_the_process_and_the_terminal_that_started_it(created, tmp_path, how):
    with starter(created) as process:
        os.killpg(process.pid, how)
        assert process.wait() == -how
    assert created.state() is RunState.RUNNING
    wait_until(lambda: works_at_gate(created))
    (tmp_path / "open").touch()
    wait_until(lambda: created.state() is not RunState.RUNNING)
    assert created.state() is RunState.COMPLETED


def test_sigterm_has_a_detached_run_save_and_stop(engine, created):
    assert engine.start(created).state is RunState.RUNNING
    wait_until(lambda: works_at_gate(created))
    executor_of(created).terminate()
    wait_until(lambda: created.state() is not RunState.RUNNING)
    assert created.state() is RunState.CANCELLED


@pytest.mark.slow
def test_a_starter_that_lives_on_is_left_with_no_zombie(created, tmp_path):
    with starter(created) as process:
        assert len(psutil.Process(process.pid).children()) == 1
        (tmp_path / "open").touch()
        wait_until(lambda: psutil.Process(process.pid).children() == [])
    assert created.state() is RunState.COMPLETED


@pytest.mark.slow
def test_an_executor_that_cannot_begin_says_why(engine, created):
    with (
        created.execution_lock(),
        pytest.raises(OutputInUseError, match=f"Run {created.id} is in use by process"),
    ):
        engine.start(created)
    text = created.record_file.read_text(encoding="utf-8")
    created.record_file.write_text("{", encoding="utf-8")
    with pytest.raises(StoreCorruptError, match=r"run\.json"):
        engine.start(created)
    created.record_file.write_text(text, encoding="utf-8")
    assert created.state() is RunState.QUEUED


def test_a_run_that_is_cancelled_while_its_executor_starts_stays_cancelled(
    engine, created, tmp_path
):
    about, go = tmp_path / "about", tmp_path / "begin"
    slow = tmp_path / "extensions" / "components" / "a_slow_start.py"
    slow.write_text(
        "import time\nfrom pathlib import Path\n"
        f"Path({str(about)!r}).touch()\n"
        f"while not Path({str(go)!r}).exists():\n    time.sleep(0.01)\n",
        encoding="utf-8",
    )
    outcomes = []
    starter = threading.Thread(target=lambda: outcomes.append(engine.start(created)))
    starter.start()
    wait_until(about.exists)
    for _ in range(2):
        engine.request_cancel(created)
    assert created.state() is RunState.CANCELLED
    go.touch()
    starter.join(DEADLINE_S)
    # The executor says for a moment that it runs, before it sees that it must not.
    wait_until(lambda: engine.wait(created, timeout_s=DEADLINE_S).state is RunState.CANCELLED)
    assert [one.run for one in outcomes] == [created]
    assert {one.state for one in created.states().values()} == {NodeState.CANCELLED}
    assert not (created.node_folder("gate") / JOB_FILE).exists(), "nothing was started"
    slow.unlink()


def test_nodes_that_do_not_heed_are_ended_by_who_wants_it_at_once(write, engine, capsys):
    pipeline = write(gate=("odd", {"how": "deaf", "gate": "open"}))
    assert run_command(["run", "--detach", pipeline]) == 0
    run = engine.find_run("last")
    wait_until(lambda: works_at_gate(run))
    wait_until((engine.workspace.work_scratch(run.states()["gate"].key) / "began").exists)
    for _ in range(2):
        engine.request_cancel(run)
        assert engine.outcome(run).is_stopping
    capsys.readouterr()
    assert run_command(["runs", "cancel", "--at-once", run.id, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["state"], content["is_stopping"]) == ("cancelled", False)
    assert "killed by signal 9" in content["nodes"]["gate"]["message"]


@pytest.mark.slow
def test_an_executor_that_was_killed_before_it_began_is_named_lost(engine, created, tmp_path):
    deadly = tmp_path / "extensions" / "components" / "deadly.py"
    deadly.write_text("import os\nos.kill(os.getpid(), 9)\n", encoding="utf-8")
    with pytest.raises(WorkerLostError, match="was killed by signal 9 before the run began"):
        engine.start(created)
    deadly.unlink()


def test_who_asks_to_stop_before_the_run_began_leaves_it_queued(engine, created):
    cancel = CancelToken()
    cancel.set("the test")
    with pytest.raises(RunInterruptedError, match="Stopped by the test"):
        engine.start(created, cancel=cancel)
    assert created.state() is RunState.QUEUED
