"""A run whose process was killed gets the end that its process could not write."""

import dataclasses
import json
import signal
import subprocess
import sys

import pytest

from imageloom.errors import ModuleOutOfMemoryError, WorkerLostError
from imageloom.files.locks import release, try_lock
from imageloom.files.publish import write_json
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.system import machine
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.lost import mark_of_process, tell_loss
from imageloom.training.train import read_result

# A process that begins a run as execute does, and is killed.
CHILD = """
import os, signal, sys
from pathlib import Path
from imageloom.training.run.lost import mark_of_process
from imageloom.training.run.directory import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
with run.locked():
    run.update(process=mark_of_process())
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    write_json(run.record, {"state": "running", "ended": None, "epochs_done": 2, "metrics": {}})
    return run


@pytest.fixture
def killed(run):
    """A run whose process is gone, as the kernel leaves it: the lock's file, held by nobody."""
    release(try_lock(run.lock, "process 77 on node5"))
    return run


def test_a_killed_process_is_told_in_the_record_beside_it_and_in_the_log(run):
    ended = subprocess.run([sys.executable, "-c", CHILD, str(run.path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert run.read().state == "running"

    error = tell_loss(run)
    assert isinstance(error, WorkerLostError)
    assert "was killed after 2 epochs, perhaps for want of memory" in error.message
    assert error.resume == run.resume
    record = run.read()
    assert record.state == "failed"
    assert record.ended is not None
    assert json.loads(run.error.read_text())["id"] == "WorkerLostError"
    assert "WorkerLostError (RUN-002)" in run.log.read_text()


def test_it_is_told_once(killed):
    assert "process 77 on node5" in tell_loss(killed).message
    assert tell_loss(killed) is None


def test_a_run_that_somebody_trains_is_left_alone(run):
    lock = try_lock(run.lock, "process 77")
    assert tell_loss(run) is None
    release(lock)
    assert tell_loss(run) is not None


def test_so_is_one_whose_processes_a_launcher_looks_after(killed):
    with MeetingPlace(killed.path).leading("process 7"):
        assert tell_loss(killed) is None
    assert killed.read().state == "running"


def test_the_lock_of_a_launcher_is_where_the_machines_meet(run):
    with MeetingPlace(run.path).leading("process 7"):
        assert run.launch_lock.read_text() == "process 7"


def test_a_run_that_nobody_began_waits_for_its_turn(run):
    assert tell_loss(run) is None


@pytest.mark.parametrize("state", ["completed", "interrupted", "failed"])
def test_an_end_that_was_written_stays(killed, state):
    killed.update(state=state)
    assert tell_loss(killed) is None


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Return a function that sets how many processes the kernel has ended."""
    (tmp_path / "cgroup").write_text("0::/\n", encoding="ascii")
    monkeypatch.setattr(machine, "CGROUP_OF_SELF", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)

    def count(kills):
        (tmp_path / "memory.events").write_text(f"oom_kill {kills}\n", encoding="ascii")

    return count


def test_kills_that_the_kernel_counted_since_it_began_say_that_memory_ran_out(killed, counted):
    counted(3)
    killed.update(process=mark_of_process())
    counted(5)
    error = tell_loss(killed)
    assert isinstance(error, ModuleOutOfMemoryError)
    assert "the kernel has ended 2 processes of its control group since it began" in error.message
    assert json.loads(killed.error.read_text())["code"] == "0138"


def test_kills_of_before_say_nothing(killed, counted):
    counted(3)
    killed.update(process=mark_of_process())
    assert isinstance(tell_loss(killed), WorkerLostError)


def test_a_machine_that_was_started_anew_is_named_as_the_cause(killed, counted):
    counted(0)
    before = dataclasses.asdict(machine.oom_record()) | {"boot": "the one before"}
    killed.update(process=before)
    assert "ended when its machine was started anew after 2 epochs." in tell_loss(killed).message


def test_a_result_is_not_read_from_a_run_that_was_killed(killed):
    with pytest.raises(WorkerLostError, match="was killed"):
        read_result(killed.path)


@pytest.mark.parametrize(
    "changes", [{"kills": "many"}, {"file": []}, {"file": "/a\0b"}, {"more": 1, "host": None}]
)
def test_a_record_that_was_changed_is_read_as_well(killed, counted, changes):
    counted(0)
    killed.update(process=dataclasses.asdict(machine.oom_record()) | changes)
    assert isinstance(tell_loss(killed), WorkerLostError)


def test_a_record_of_an_earlier_version_is_read_as_well(killed):
    killed.update(process="of another form")
    assert isinstance(tell_loss(killed), WorkerLostError)
