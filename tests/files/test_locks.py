"""A lock is held exactly as long as a process with its descriptor lives."""

import fcntl
import os
import shutil
import signal
import subprocess
import threading

import pytest

from imageloom.errors import FailedToWriteOutputsError, StoreBusyError
from imageloom.files.locks import holder, is_locked, locked, release, try_lock, while_free

HOLD = """
import sys
from pathlib import Path
from imageloom.files.locks import try_lock
assert try_lock(Path(sys.argv[1]), "run A, node train") is not None
print("held", flush=True)
sys.stdin.read()
"""


def start_holder(python, path):
    process = subprocess.Popen(
        [python, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def end(process):
    process.kill()
    process.communicate()


def test_a_lock_is_held_by_one_and_says_by_whom(tmp_path):
    path = tmp_path / "folder" / "lock"
    assert not is_locked(path)
    assert holder(path) == ""
    descriptor = try_lock(path, "run A")
    assert descriptor is not None
    assert try_lock(path, "run B") is None
    assert is_locked(path)
    assert holder(path) == "run A"
    release(descriptor)
    assert not is_locked(path)
    assert holder(path) == ""


def test_who_looks_at_a_free_lock_makes_others_wait_and_is_no_holder(tmp_path):
    path, taken = tmp_path / "lock", []
    release(try_lock(path, "before"))
    other = threading.Thread(target=lambda: taken.append(try_lock(path, "other")))
    with while_free(path) as is_free, while_free(path) as is_free_for_two:
        assert is_free
        assert is_free_for_two
        assert not is_locked(path)
        other.start()
        other.join(0.05)
        assert taken == [], "it waits, and is told neither yes nor no"
    other.join()
    with while_free(path) as is_free:
        assert not is_free
    release(taken[0])


def test_a_shorter_note_replaces_a_longer_one(tmp_path):
    release(try_lock(tmp_path / "lock", "a long note about a run"))
    descriptor = try_lock(tmp_path / "lock", "short")
    assert holder(tmp_path / "lock") == "short"
    release(descriptor)


def test_a_lock_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()  # root may write everywhere, but not into a file
    with pytest.raises(FailedToWriteOutputsError, match="file/lock could not be written: Not a"):
        try_lock(tmp_path / "file" / "lock", "run A")


def test_kill_9_frees_the_lock(tmp_path, python):
    process = start_holder(python, tmp_path / "lock")
    try:
        assert holder(tmp_path / "lock") == "run A, node train"
        assert try_lock(tmp_path / "lock", "B") is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_locked(tmp_path / "lock")
        release(try_lock(tmp_path / "lock", "B"))
    finally:
        end(process)


def test_a_child_that_was_given_the_descriptor_holds_the_lock_on(tmp_path):
    descriptor = try_lock(tmp_path / "lock", "executor")
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
    try:
        release(descriptor)
        assert holder(tmp_path / "lock") == "executor"
        assert try_lock(tmp_path / "lock", "B") is None
    finally:
        end(child)
    assert not is_locked(tmp_path / "lock")


def test_other_children_do_not_hold_it(tmp_path):
    descriptor = try_lock(tmp_path / "lock", "executor")
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    try:
        release(descriptor)
        assert not is_locked(tmp_path / "lock")
    finally:
        end(child)


def test_one_who_only_asks_is_never_taken_for_a_holder(tmp_path):
    path = tmp_path / "lock"
    release(try_lock(path, ""))
    stop = threading.Event()

    def ask_for_ever():
        while not stop.is_set():
            is_locked(path)

    askers = [threading.Thread(target=ask_for_ever) for _ in range(3)]
    for one in askers:
        one.start()
    try:
        for _ in range(300):
            descriptor = try_lock(path, "")
            assert descriptor is not None
            release(descriptor)
    finally:
        stop.set()
        for one in askers:
            one.join()


def test_a_lock_is_refused_only_when_an_exclusive_one_is_held(tmp_path):
    asker = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(asker, fcntl.LOCK_SH)
    freed = threading.Timer(0.05, os.close, [asker])
    freed.start()
    descriptor = try_lock(tmp_path / "lock", "")
    freed.join()
    assert descriptor is not None
    release(descriptor)


def test_a_lock_whose_folder_was_moved_away_is_taken_at_its_place(tmp_path, monkeypatch):
    path = tmp_path / "work" / "lock"
    real, moved = fcntl.flock, []

    def flock(descriptor, kind):
        if not moved:  # as another process would between opening and locking
            moved.append(shutil.move(path.parent, tmp_path / "trash"))
        real(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    descriptor = try_lock(path, "A")
    assert os.path.samestat(os.fstat(descriptor), path.stat())
    assert try_lock(path, "B") is None
    release(descriptor)


def test_waiting_for_a_lock_ends_with_the_name_of_its_holder(tmp_path):
    descriptor = try_lock(tmp_path / "lock", "process 1234")
    with (
        pytest.raises(StoreBusyError, match=r"lock has been held by process 1234 for 0\.02 s"),
        locked(tmp_path / "lock", timeout_s=0.02),
    ):
        pass
    release(descriptor)
    with locked(tmp_path / "lock", timeout_s=0.02):
        assert is_locked(tmp_path / "lock")
    assert not is_locked(tmp_path / "lock")


WITHOUT_FCNTL = """
import sys
from pathlib import Path
sys.modules["fcntl"] = None
from imageloom.files.locks import is_locked, release, try_lock
from imageloom.training.run.directory import RunDirectory
descriptor = try_lock(Path(sys.argv[1]) / "lock", "a note")
assert not is_locked(Path(sys.argv[1]) / "lock")
release(descriptor)
with RunDirectory(Path(sys.argv[1])).locked():
    print((Path(sys.argv[1]) / "run.lock").read_text())
"""


def test_where_the_system_has_no_such_locks_each_is_free(python, tmp_path):
    done = subprocess.run(
        [python, "-c", WITHOUT_FCNTL, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("process ")
