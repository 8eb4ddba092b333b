"""The first signal saves and stops; the second stops at once; nothing is left running."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from imageloom.cli.root import run
from imageloom.data import convert

TOY = Path(__file__).with_name("toy_command.py")


@contextmanager
def running(behaviour: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start the toy and wait until its body runs."""
    with subprocess.Popen(
        [sys.executable, str(TOY), behaviour, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        process.first_line = process.stderr.readline()  # type: ignore[attr-defined]
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("number", "name", "code"),
    [
        (signal.SIGINT, "Ctrl+C", 130),
        (signal.SIGTERM, "SIGTERM", 143),
    ],
)
def test_i06_a_signal_stops_the_work_with_its_own_exit_code(number, name, code):
    with running("wait") as process:
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == code
    assert f"{name}: saving, then stopping. Once more stops at once." in errors
    assert f"RunInterruptedError (RUN-001)\n  Stopped by {name}." in errors
    assert "Traceback" not in errors


def test_who_stops_a_conversion_is_told_that_no_output_appears(tmp_path, monkeypatch, capfd):
    convert_whole = convert.convert

    def stopped(*places, on_event, cancel, **more):
        signal.raise_signal(signal.SIGINT)
        return convert_whole(*places, on_event=on_event, cancel=cancel, **more)

    monkeypatch.setattr(convert, "convert", stopped)
    for name in ("ants", "bees"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name / "1.png")
    assert run(["data", "convert", str(tmp_path / "photos"), "--out", str(tmp_path / "out")]) == 130
    assert "Ctrl+C: stopping; the output does not appear. Once more" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_who_stops_the_studio_is_told_that_runs_go_on(tmp_path):
    environment = {**os.environ, "IMAGELOOM_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "imageloom", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [*command, "--workspace", str(tmp_path / "workspace")],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as studio:
        assert studio.stdout is not None
        assert "http://" in studio.stdout.readline()
        studio.send_signal(signal.SIGINT)
        _, errors = studio.communicate(timeout=60)
    assert errors == "Ctrl+C: the studio stops; runs go on.\n"
    assert studio.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_i07_a_second_signal_stops_at_once_and_takes_the_workers_along(number):
    with running("wait_deaf") as process:
        worker = int(process.first_line.split()[1])
        process.send_signal(number)
        time.sleep(0.3)
        assert process.poll() is None, "the first signal asks"
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert process.returncode == 128 + number
    assert "Stopped at once" in errors
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_i07_who_stops_a_training_at_once_is_told_how_to_go_on(tmp_path, monkeypatch):
    run = tmp_path / "k\u00e4se 1"
    run.mkdir()
    (run / "run.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("RUN", str(run))
    with running("wait_deaf") as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "Once more" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert errors.endswith(f"is whole. Go on: imageloom train --resume '{run}'\n")


def test_i07_a_command_that_answers_the_second_signal_ends_by_itself():
    with running("wait_for_two") as process:
        for _ in range(10):  # a key held down
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Ctrl+C: stopping at once." in errors
    assert "asked 2 times" in errors


def test_i07_ten_signals_are_like_two():
    with running("wait_deaf") as process:
        for _ in range(10):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        process.communicate(timeout=10)
    assert process.returncode == 130


def test_a_forked_worker_leaves_ctrl_c_to_its_owner_and_dies_of_sigterm():
    with running("wait_with_fork") as process:
        process.communicate(timeout=20)
    assert process.first_line == f"survived True, then {-signal.SIGTERM}\n"
    assert process.returncode == 0


def test_what_the_caller_ignores_stays_ignored():
    command = f"trap '' INT HUP; exec {sys.executable} {TOY} wait"
    with subprocess.Popen(
        ["bash", "-c", command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert process.poll() is None
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 143


def test_i08_work_and_its_workers_go_on_when_the_terminal_is_closed(tmp_path):
    result = tmp_path / "result.json"
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["RESULT"] = str(result)
        os.execv(sys.executable, [sys.executable, str(TOY), "outlive_the_terminal"])
    shown = b""
    while b"ready" not in shown:
        shown += os.read(terminal, 1024)
    os.close(terminal)
    os.waitpid(pid, 0)
    assert json.loads(result.read_text()) == {
        "unwatched": True,
        "asked_to_stop": False,
        "forked_lives": True,
        "started_lives": True,
    }


def test_i08_work_goes_on_when_a_terminal_that_sends_no_signal_cannot_be_written(tmp_path):
    # As after 'imageloom train & disown'.
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(TOY), "wait"], stderr=end, stdin=end, stdout=subprocess.PIPE
    ) as process:
        os.close(end)
        assert b"ready" in os.read(terminal, 1024)
        os.close(terminal)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 143


def test_handlers_are_given_back(tmp_path):
    from imageloom.cli.signals import stopping_on_signals
    from imageloom.events import CancelToken

    before = signal.getsignal(signal.SIGINT)
    token = CancelToken()
    with stopping_on_signals(token):
        assert signal.getsignal(signal.SIGINT) is not before
        os.kill(os.getpid(), signal.SIGINT)
        assert (token.is_set, token.reason) == (True, "Ctrl+C")
    assert signal.getsignal(signal.SIGINT) is before
