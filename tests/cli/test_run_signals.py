"""Stopping ``imageloom run``: by signals, from another process, and what is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

TESTS = Path(__file__).parents[1]
DEADLINE_S = 60.0


@pytest.fixture
def environment(tmp_path, monkeypatch) -> dict[str, str]:
    """The variables with which commands find the toys, in a workspace of the test."""
    monkeypatch.syspath_prepend(str(TESTS))
    from pipeline.executor_process import toy_extensions

    return os.environ | {
        "IMAGELOOM_EXTENSIONS": str(toy_extensions(tmp_path / "extensions")),
        "IMAGELOOM_WORKSPACE": str(tmp_path / "workspace"),
    }


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "imageloom", *words]


def json_of(environment, *words: str) -> dict:
    done = subprocess.run(
        command(*words, "--json"), env=environment, capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout)


@contextmanager
def waiting_run(path: str, environment) -> Iterator[subprocess.Popen[str]]:
    """Start a run whose node waits for a file, and wait until the node does."""
    with subprocess.Popen(
        command("run", path),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            read_until(process, "waiting for")
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    assert any(words in line for line in process.stderr), "it ended before it said so"


def workers_of(environment) -> list[psutil.Process]:
    workspace = environment["IMAGELOOM_WORKSPACE"]
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if "imageloom.worker" in words and words[-1].startswith(workspace):
            found.append(process)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_i06_the_first_signal_saves_and_prints_the_command_that_goes_on(
    write, environment, tmp_path, number, code
):
    path = write(gate=("odd", {"how": "gate", "gate": "open"}))
    with waiting_run(path, environment) as process:
        process.send_signal(number)
        out, errors = process.communicate(timeout=DEADLINE_S)
    run_id = json_of(environment, "runs", "list")["runs"][0]["id"]
    assert process.returncode == code
    assert f"Resume   imageloom run --resume {run_id}\n" in errors
    assert f"Run      {run_id} cancelled, 0 of 1 node done" in out
    assert workers_of(environment) == []
    (tmp_path / "open").touch()
    resumed = json_of(environment, "run", "--resume", run_id)
    assert (resumed["state"], resumed["nodes"]["gate"]["state"]) == ("completed", "completed")
    assert Path(resumed["nodes"]["gate"]["log"]).is_file()


@pytest.mark.slow
def test_i07_the_second_signal_ends_a_node_that_does_not_listen(write, environment):
    path = write(gate=("odd", {"how": "deaf", "gate": "open"}))
    with waiting_run(path, environment) as process:
        process.send_signal(signal.SIGINT)
        read_until(process, "saving, then stopping")
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        process.communicate(timeout=DEADLINE_S)
    assert time.monotonic() - began < 10, "a node that was asked once has 25 s to save"
    assert process.returncode == 130
    assert workers_of(environment) == []


@pytest.mark.slow
def test_a_run_can_be_cancelled_from_another_process_which_waits_until_it_is_true(
    write, environment
):
    path = write(gate=("odd", {"how": "gate", "gate": "open"}))
    with waiting_run(path, environment) as process:
        cancelled = json_of(environment, "runs", "cancel", "last")
        assert cancelled["state"] == "cancelled"
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert workers_of(environment) == []


@pytest.mark.slow
def test_a_run_whose_process_was_killed_is_found_interrupted_and_goes_on(
    write, environment, tmp_path
):
    path = write(gate=("odd", {"how": "gate", "gate": "open"}))
    with waiting_run(path, environment) as process:
        process.kill()
        process.communicate(timeout=DEADLINE_S)
    (listed,) = json_of(environment, "runs", "list")["runs"]
    assert listed["state"] == "interrupted"
    assert len(workers_of(environment)) == 1, "the worker is still at it"
    (tmp_path / "open").touch()
    resumed = json_of(environment, "run", "--resume", "last")
    assert (resumed["state"], resumed["run"]) == ("completed", listed["id"])
    content = Path(resumed["nodes"]["gate"]["outputs"]["value"]) / "value.txt"
    assert content.read_text(encoding="utf-8") == "1", "it was picked up, not begun again"


@pytest.mark.slow
def test_the_log_of_a_failed_node_is_named_and_holds_the_reason(write, environment):
    path = write(explode="fail")
    done = subprocess.run(
        command("run", path), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    log = Path(done.stderr.split("Log: ")[1].splitlines()[0])
    assert "It failed." in log.read_text(encoding="utf-8")
    shown = subprocess.run(
        command("runs", "logs", "last", "explode"),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "InvalidDatasetError: It failed." in shown.stdout
