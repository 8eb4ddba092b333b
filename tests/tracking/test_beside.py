"""The process of a tracker follows a training, ends after it, and never holds it up."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from imageloom.errors import UnknownNameError
from imageloom.events import CancelToken, Control
from imageloom.files.locks import is_locked, release, try_lock
from imageloom.tracking import beside
from imageloom.tracking.beside import Followers, tracked
from imageloom.tracking.position import position_file, read_position

DEADLINE_S = 60.0


def until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def following(training, told, *, cancel=None):
    control = Control(told.append, cancel or CancelToken())
    return tracked(
        training.tracked, ["tensorboard"], catch_up="imageloom track run", control=control
    )


def last_step(training):
    return read_position(position_file(training.path, "tensorboard")).last_steps.get("Valid loss")


@pytest.mark.slow
def test_values_come_while_the_body_trains_and_the_rest_when_it_has_ended(training):
    training.record()
    training.steps(1, 5)
    told = []
    with following(training, told):
        until(lambda: last_step(training) == 4)
        training.steps(5, 9)
        training.record("completed")
    assert last_step(training) == 8
    assert read_position(position_file(training.path, "tensorboard")).state == "completed"
    assert [notice.message for notice in told] == [
        f"Tracking with TensorBoard: {training.path / 'tensorboard'}"
    ]


@pytest.mark.slow
def test_an_error_of_the_body_comes_through_and_what_there_is_was_told(training):
    training.record()
    training.steps(1, 5)
    training.record("failed")
    with pytest.raises(RuntimeError, match="of the training"), following(training, []):
        raise RuntimeError("of the training")
    assert last_step(training) == 4


@pytest.mark.slow
def test_a_training_that_never_begins_is_nothing_to_tell(training):
    training.path.mkdir()
    told = []
    with following(training, told):
        pass
    assert [notice.level for notice in told] == ["info"]


def test_a_tracker_that_cannot_be_started_is_a_warning(training, monkeypatch):
    monkeypatch.setattr(beside, "_COMMAND", ("/nowhere/python",))
    training.record()
    told = []
    with following(training, told):
        pass
    (notice,) = told
    assert notice.level == "warning"
    assert "TensorBoard was not started" in notice.message
    assert "Catch up with: imageloom track run" in notice.message


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import time; time.sleep(600)", "It took more than 0.2 s."),
        ("import os; os._exit(3)", "Its process ended without an answer."),
        ("print('{}'); import time; time.sleep(600)", "Its process ended without an answer."),
    ],
)
def test_a_tracker_that_hangs_or_dies_is_ended_and_said(training, monkeypatch, program, problem):
    monkeypatch.setattr(beside, "_COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(beside, "END_WAIT_S", 0.2 if "more" in problem else DEADLINE_S)
    training.record()
    told = []
    with following(training, told):
        pass
    assert f"TensorBoard ({problem})" in told[-1].message


def test_of_a_training_that_is_stopped_the_end_waits_less(training, monkeypatch):
    monkeypatch.setattr(beside, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(beside, "STOPPED_WAIT_S", 0.1)
    cancel, told = CancelToken(), []
    with following(training, told, cancel=cancel):
        cancel.set("SIGINT")
    assert "It took more than 0.1 s." in told[-1].message


def test_who_asks_once_more_to_stop_waits_no_longer(training, monkeypatch):
    monkeypatch.setattr(beside, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    training.record()
    cancel, told = CancelToken(), []

    followers = Followers("imageloom track run")
    control = Control(told.append, cancel)
    followers.start(["tensorboard"], training.tracked, control, tries_s=0)
    timer = threading.Timer(0.1, cancel.set, ["SIGINT"])
    timer.start()
    followers.wait(control, most_s=600)
    timer.join()
    assert "TensorBoard (It was not waited for.)" in told[-1].message


@pytest.mark.slow
def test_only_one_process_tracks_a_training_with_a_tracker(training):
    training.record()
    lock = try_lock(position_file(training.path, "tensorboard").with_suffix(".lock"), "process 7")
    told = []
    try:
        with following(training, told):
            pass
    finally:
        release(lock)
    assert "TensorBoard (process 7 tracks it there already.)" in told[-1].message


def test_an_unknown_tracker_is_an_error_before_the_body(training):
    training.record()
    with (
        pytest.raises(UnknownNameError, match="no tracker called 'tensorbord'"),
        tracked(training.tracked, ["tensorbord"], catch_up="", control=Control()),
    ):
        raise AssertionError("the body must not begin")


@pytest.mark.slow
@pytest.mark.processes
def test_the_tracker_of_a_killed_training_tells_the_rest_and_ends(training):
    training.record()
    training.steps(1, 5)
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from imageloom.events import Control\n"
        "from imageloom.tracking.beside import tracked\n"
        "from imageloom.tracking.place import Tracked\n"
        "training = Tracked.model_validate_json(sys.argv[1])\n"
        "with tracked(training, ['tensorboard'], catch_up='', control=Control()):\n"
        "    print('training', flush=True)\n"
        "    time.sleep(600)\n"
    )
    words = [sys.executable, "-c", program, training.tracked.model_dump_json()]
    lock = position_file(training.path, "tensorboard").with_suffix(".lock")
    with subprocess.Popen(words, stdout=subprocess.PIPE) as trainer:
        assert trainer.stdout.readline() == b"training\n"
        until(lambda: is_locked(lock))
        training.steps(5, 9)
        trainer.send_signal(signal.SIGKILL)
    until(lambda: not is_locked(lock))
    assert last_step(training) == 8


def test_who_is_waited_for_after_another_is_told_with_the_time_of_both(training, monkeypatch):
    monkeypatch.setattr(beside, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    training.record()
    told = []
    followers = Followers("imageloom track run")
    control = Control(told.append, CancelToken())
    followers.start(["tensorboard"], training.tracked, control, tries_s=0)
    followers.wait(control, most_s=30, since=time.monotonic() - 30)
    assert "TensorBoard (It took more than 30 s.)" in told[-1].message
