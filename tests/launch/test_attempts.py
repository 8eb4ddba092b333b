"""Toy ranks that end in every way: who is named, what is left, what is started again."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from imageloom.errors import (
    FailedToWriteOutputsError,
    InvalidDatasetError,
    LibraryError,
    ModuleOutOfMemoryError,
    RunInterruptedError,
    WorkerLostError,
)
from imageloom.events import CancelToken, Control, Notice, Progress, ignore_events
from imageloom.launch.local import attempts
from imageloom.launch.local.attempts import run_ranks
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.report import answer_to
from imageloom.launch.params import LaunchParams
from imageloom.resume_command import Resume


def run(toys, *, on_event=ignore_events, cancel=None):
    run_ranks(
        toys.job,
        toys.crew,
        max_restarts=toys.max_restarts,
        control=Control.of(on_event, cancel),
    )


def log(job, rank):
    return (job.logs / f"70_driver_log_{rank}.txt").read_text(encoding="utf-8")


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def pids(toys, start=1):
    return [int(file.read_text(encoding="utf-8")) for file in toys.glob(f"here_{start}_*")]


@pytest.fixture
def cancelling(wait_until):
    """Return a function that calls another one, in a thread, once a condition is true."""
    threads = []

    def soon(is_so, act):
        def body():
            wait_until(is_so)
            act()

        threads.append(threading.Thread(target=body))
        threads[-1].start()

    yield soon
    for thread in threads:
        thread.join()


def test_each_rank_has_a_log_and_rank_0_is_heard(toy_job):
    job = toy_job(3)
    heard = []
    run(job, on_event=heard.append)
    assert heard == [Notice("info", "rank 0 speaks"), Progress("Toying", 1, 1, "steps")]
    assert [log(job, rank) for rank in range(3)] == [
        f"rank {rank} of 3, start 1\n" for rank in range(3)
    ]
    assert sorted(path.name for path in job.logs.iterdir()) == [
        f"70_driver_log_{rank}.txt" for rank in range(3)
    ]


KINDS = {
    "kill:9": (WorkerLostError, r"was killed by signal 9 \(SIGKILL\)"),
    "kill:11": (WorkerLostError, r"was killed by signal 11 \(SIGSEGV\)"),
    "leave": (WorkerLostError, "ended with exit code 0 and no word"),
    "raise": (LibraryError, "ValueError: a fault of this rank alone"),
    "refuse": (InvalidDatasetError, "no pictures here"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(4))
def test_h01_h04_the_first_failing_rank_is_named_20_of_20_times(toy_job, toys, kind, number):
    culprit, late, other = [(0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2)][number]
    plan = {
        str(culprit): [kind],
        # They end within a millisecond of it, one as gloo lets it end and one as NCCL does.
        str(late): ["late:0.3", f"lost:{culprit}"],
        str(other): [f"abort:{culprit}"],
    }
    job = toy_job(3, plan)
    error, words = KINDS[kind]
    began = time.monotonic()
    with pytest.raises(error, match=f"Rank {culprit} of 3:? {words}") as caught:
        run(job)
    assert time.monotonic() - began < 10
    assert caught.value.details["rank"] == culprit
    assert all(is_gone(pid) for pid in pids(toys))


def test_the_error_of_a_rank_keeps_all_it_said_and_where(toy_job):
    with pytest.raises(InvalidDatasetError, match="Rank 1 of 2: no pictures here") as caught:
        run(toy_job(plan={"1": ["refuse"], "0": ["lost:1"]}))
    error = caught.value
    assert error.hint == "Bring some."
    assert error.details["images"] == 0
    assert error.details["log"].endswith("70_driver_log_1.txt")
    assert error.details["traceback"][-1].endswith("no pictures here Bring some.")
    assert any("toy_rank.py" in line for line in error.details["traceback"])


def test_the_machines_want_of_memory_is_told_from_other_kills(toy_job, monkeypatch):
    counts = iter((3, 4))
    monkeypatch.setattr(attempts, "count_oom_kills", lambda: next(counts))
    with pytest.raises(ModuleOutOfMemoryError, match="Rank 1 of 2 was ended because"):
        run(toy_job(plan={"1": ["kill:9"], "0": ["lost:1"]}))


@pytest.mark.slow
def test_h02_a_rank_that_is_stopped_is_named_and_all_show_where_they_were(toy_job, toys):
    job = toy_job(plan={"0": ["wait"], "1": ["stop", "wait"]}, hang_s=0.5)
    with pytest.raises(WorkerLostError, match="Rank 1 of 2 did not go on"):
        run(job)
    assert all("toy_rank.py" in log(job, rank) for rank in range(2))
    assert all(is_gone(pid) for pid in pids(toys))


@pytest.mark.slow
@pytest.mark.parametrize("word", ["out:0.1", "watchdog"])
def test_a_rank_that_the_others_waited_for_in_vain_is_named(toy_job, word):
    job = toy_job(plan={"0": [word], "1": ["deaf"]}, others_s=0.5)
    with pytest.raises(WorkerLostError, match="Rank 1 of 2 did not go on") as caught:
        run(job)
    assert caught.value.reason == "hangs"
    assert "behave" in log(job, 1)  # the stack of a rank that hangs


def test_when_nobody_else_is_at_fault_a_lost_connection_is_the_error(toy_job):
    job = toy_job(plan={"0": ["out:0.3"], "1": ["out:0"]})
    with pytest.raises(LibraryError, match=r"Rank 1 of 2: RuntimeError: .gloo. Timed out"):
        run(job)


def test_what_a_rank_left_running_is_ended_with_it(toy_job, toys, wait_until):
    run(toy_job(plan={"1": ["child"]}))
    child = int((toys / "child_1").read_text(encoding="utf-8"))
    wait_until(lambda: is_gone(child), "the child of a rank is still there")


def test_all_ranks_save_when_asked_to_stop(toy_job, toys, cancelling):
    cancel = CancelToken()
    cancelling(lambda: len(pids(toys)) == 2, lambda: cancel.set("Ctrl+C"))
    with pytest.raises(RunInterruptedError, match=r"^Stopped by Ctrl\+C\.$") as caught:
        run(toy_job(plan={"0": ["wait"], "1": ["wait"]}), cancel=cancel)
    assert caught.value.hint == ""
    assert sorted(path.name for path in toys.glob("saved_*")) == ["saved_0", "saved_1"]


class Stopped:
    """A crew of two ranks that were asked by SIGTERM and know no more of their run than where."""

    def start(self, _job, _control):
        error = RunInterruptedError.stopped_by("SIGTERM", "at step 3", resume=Resume("/a run"))
        return [RankEnd(rank, 1.0, 143, answer_to(error, reason="SIGTERM")) for rank in range(2)]

    def change(self, _ends):
        return ""


@pytest.mark.parametrize(
    ("launch", "options"),
    [
        (LaunchParams(processes_per_node=2), ""),
        (LaunchParams(max_restarts=3), " --max-restarts 3"),
    ],
)
def test_ranks_that_saved_are_told_of_with_their_launch_and_by_who_asked(
    toy_job, caplog, launch, options
):
    cancel = CancelToken()
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match=r"^Stopped by Ctrl\+C at step 3\.") as caught:
        run_ranks(
            toy_job(plan={}).job,
            Stopped(),
            resume_words=launch.resume_words,
            control=Control(cancel=cancel),
        )
    command = f"imageloom train --resume '/a run'{options}"
    assert caught.value.resume.command == command
    assert command in caplog.text


def test_h14_ranks_that_were_asked_themselves_stop_the_run(toy_job, toys, cancelling):
    cancel = CancelToken()

    def stop_all():
        for pid in pids(toys):
            os.kill(pid, signal.SIGTERM)

    cancelling(lambda: len(pids(toys)) == 2, stop_all)
    with pytest.raises(RunInterruptedError, match="Stopped by SIGTERM"):
        run(toy_job(plan={"0": ["wait"], "1": ["wait"]}), cancel=cancel)
    assert cancel.reason == "SIGTERM"


def test_i06_no_rank_is_started_when_somebody_has_asked_to_stop_already(toy_job, toys):
    cancel = CancelToken()
    cancel.set("SIGTERM")
    job = toy_job(plan={"0": ["wait"], "1": ["wait"]}, max_restarts=3)
    with pytest.raises(RunInterruptedError, match="Stopped by SIGTERM"):
        run(job, cancel=cancel)
    assert pids(toys) == []
    assert list(job.logs.iterdir()) == []


def test_i06_h14_ranks_that_are_asked_while_they_import_save_and_stop(toy_job, toys, cancelling):
    def importing():
        return [int(file.read_text(encoding="utf-8")) for file in toys.glob("importing_*")]

    def ask():
        for pid in importing():
            os.kill(pid, signal.SIGTERM)
        (toys / "imported").touch()

    cancelling(lambda: len(importing()) == 2, ask)
    plan = {"0": ["import", "wait"], "1": ["import", "wait"]}
    with pytest.raises(RunInterruptedError, match="Stopped by SIGTERM"):
        run(toy_job(plan=plan))
    assert {path.name for path in toys.glob("saved_*")} == {"saved_0", "saved_1"}


@pytest.mark.slow
def test_a_rank_that_does_not_stop_is_ended_and_the_loss_is_said(toy_job, toys, cancelling):
    cancel = CancelToken()
    cancelling(lambda: len(pids(toys)) == 2, lambda: cancel.set("SIGTERM"))
    with pytest.raises(RunInterruptedError, match="Stopped by SIGTERM") as caught:
        run(toy_job(plan={"0": ["wait"], "1": ["deaf"]}, stop_s=0.5), cancel=cancel)
    assert "after the last checkpoint is lost" in caught.value.hint
    assert (toys / "saved_0").exists()
    assert all(is_gone(pid) for pid in pids(toys))


def test_asked_twice_all_ranks_are_ended_at_once(toy_job, toys, cancelling):
    cancel = CancelToken()

    def insist():
        cancel.set("Ctrl+C")
        cancel.set("Ctrl+C")

    cancelling(lambda: len(pids(toys)) == 2, insist)
    began = time.monotonic()
    with pytest.raises(RunInterruptedError, match=r"Stopped by Ctrl\+C"):
        run(toy_job(plan={"0": ["deaf"], "1": ["deaf"]}), cancel=cancel)
    assert time.monotonic() - began < 10
    assert all(is_gone(pid) for pid in pids(toys))


def test_an_error_while_stopping_is_not_hidden(toy_job, toys, cancelling):
    cancel = CancelToken()
    cancelling(lambda: len(pids(toys)) == 2, lambda: cancel.set("SIGTERM"))
    with pytest.raises(InvalidDatasetError, match="Rank 1 of 2: no pictures here"):
        run(toy_job(plan={"0": ["wait"], "1": ["until_asked", "refuse"]}), cancel=cancel)


def test_a_log_that_cannot_be_written_is_named_and_nobody_is_left(toy_job, toys):
    start = toy_job(2, {"0": ["until:never"]})
    (start.logs / "70_driver_log_1.txt").mkdir()
    with pytest.raises(FailedToWriteOutputsError, match=r"log_1\.txt could not be written: Is a"):
        run(start)
    assert not any(str(toys) in child.cmdline() for child in psutil.Process().children())


@pytest.mark.slow
def test_killed_ranks_start_again_and_the_person_is_told(toy_job, toys):
    heard = []
    job = toy_job(plan={"1": ["kill:9"], "0": ["lost:1"], "times": 2}, max_restarts=2)
    run(job, on_event=heard.append)
    warnings = [event.message for event in heard if getattr(event, "level", "") == "warning"]
    assert warnings == [
        "Rank 1 of 2 was killed by signal 9 (SIGKILL). All ranks go on from the last checkpoint "
        f"(restart {number} of 2)."
        for number in (1, 2)
    ]
    assert len(pids(toys, start=3)) == 2


@pytest.mark.slow
def test_restarts_end_when_they_are_used_up(toy_job, toys):
    job = toy_job(plan={"0": ["kill:9"], "1": ["lost:0"], "times": 9}, max_restarts=1)
    with pytest.raises(WorkerLostError, match="Rank 0 of 2 was killed by signal 9"):
        run(job)
    assert len(pids(toys, start=2)) == 2
    assert pids(toys, start=3) == []


def test_errors_of_a_rank_itself_are_not_tried_again(toy_job, toys):
    with pytest.raises(InvalidDatasetError, match="Rank 0 of 2: no pictures here"):
        run(toy_job(plan={"0": ["refuse"], "1": ["lost:0"]}, max_restarts=5))
    assert pids(toys, start=2) == []


LAUNCHER = """
import json, os, sys
from contextlib import nullcontext
from pathlib import Path
from imageloom.events import Control
from imageloom.launch.local.attempts import RankJob, run_ranks
from imageloom.launch.local.one_machine import OneMachine

command, logs = json.loads(sys.argv[1]), Path(sys.argv[2])
job, crew = RankJob(command, logs, dict(os.environ)), OneMachine(2, lambda: nullcontext({}))
run_ranks(job, crew, control=Control())
"""


@pytest.fixture
def launcher_of(tmp_path):
    """Return a function that starts a job's ranks from a process of its own."""

    def start(job):
        arguments = [json.dumps(job.job.command), str(job.logs)]
        return subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, *arguments], env=os.environ | {"TMPDIR": str(tmp_path)}
        )

    return start


def test_what_a_killed_rank_left_in_temporary_files_is_cleared_away(toy_job, toys):
    with pytest.raises(WorkerLostError):
        run(toy_job(plan={"1": ["litter", "kill:9"], "0": ["lost:1"]}))
    assert not Path((toys / "litter").read_text(encoding="utf-8")).exists()


def test_ranks_save_and_stop_when_the_launcher_is_killed(toy_job, toys, wait_until, launcher_of):
    launcher = launcher_of(toy_job(plan={"0": ["wait"], "1": ["wait"]}))
    wait_until(lambda: len(pids(toys)) == 2, "the ranks did not start")
    launcher.kill()
    launcher.wait()
    wait_until(lambda: all(is_gone(pid) for pid in pids(toys)), "ranks outlive their launcher")
    assert {path.name for path in Path(toys).glob("saved_*")} == {"saved_0", "saved_1"}


def test_ranks_that_were_asked_to_stop_still_save_when_the_launcher_is_gone(
    toy_job, toys, wait_until, launcher_of
):
    # As when a scheduler asks everybody, and the launcher, a person's script, dies of it.
    launcher = launcher_of(toy_job(plan={"0": ["save:mark"], "1": ["save:mark"]}))
    wait_until(lambda: len(pids(toys)) == 2, "the ranks did not start")
    for pid in pids(toys):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: len(list(toys.glob("asked_*"))) == 2, "the ranks were not asked")
    launcher.kill()
    launcher.wait()
    (toys / "mark").touch()
    wait_until(lambda: all(is_gone(pid) for pid in pids(toys)), "ranks outlive their launcher")
    assert {path.name for path in Path(toys).glob("saved_*")} == {"saved_0", "saved_1"}
