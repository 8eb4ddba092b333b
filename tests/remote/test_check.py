"""The hello that shows whether a target works, and what is said when it does not."""

import platform

import pytest

from imageloom.errors import (
    FailedToWriteOutputsError,
    RunInterruptedError,
    TimeoutOccuredError,
    WorkerLostError,
)
from imageloom.events import CancelToken, Control, Notice, ignore_events
from imageloom.files.publish import write_json
from imageloom.remote.check import say_hello, trouble_of
from imageloom.spec.job import LOG_FILE
from imageloom.spec.scale import Scale
from imageloom.spec.target import JobStatus, Limits
from imageloom.targets.local import LocalTarget
from imageloom.targets.slurm.options import SlurmOptions
from imageloom.targets.slurm.target import SlurmTarget

ENDED = JobStatus("ended", reason="ended with exit code 7")


class Toy:
    """A target whose job never was: it leaves what it is told to, and ends when it is told to."""

    name, title, help = "toy", "Toy", "Starts nothing."
    limits = Limits(nodes=1, processing_units_per_node=1, heavy_jobs=1, light_jobs=1)

    def __init__(self, *, ends=True, leaves=None, says="") -> None:
        self.ends = ends
        self.leaves = leaves
        self.says = says
        self.works = []
        self.stops = []

    def start(self, folder, work, **_lock):
        self.works.append(work)
        (folder / LOG_FILE).parent.mkdir()
        (folder / LOG_FILE).write_text(self.says, encoding="utf-8")
        if self.leaves is not None:
            write_json(folder / "hello.json", self.leaves)

    def status(self, _folder):
        if self.ends or self.stops:
            return ENDED
        return JobStatus("running", note="It waits.")

    def stop(self, _folder, *, at_once):
        self.stops.append(at_once)


def hello(target, folder, *, timeout_s=60.0, on_event=ignore_events, cancel=None):
    return say_hello(
        target,
        folder / "check",
        timeout_s=timeout_s,
        control=Control.of(on_event, cancel),
    )


@pytest.mark.slow
def test_two_ranks_of_this_machine_find_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr("imageloom.targets.local.processing_units", lambda _: 2)
    greetings = hello(LocalTarget(), tmp_path)
    assert [(one.rank, one.world_size) for one in greetings] == [(0, 2), (1, 2)]
    assert {one.host for one in greetings} == {platform.node()}
    assert {one.python for one in greetings} == {platform.python_version()}
    assert not (tmp_path / "check").exists()


def test_a_target_with_room_for_one_process_gets_one(tmp_path):
    target = Toy(leaves={"ranks": [], "seconds": 1.0})
    assert hello(target, tmp_path) == []
    (work,) = target.works
    assert (work.scale, work.program[-1]) == (Scale(1, 1, 1), "1")


def test_a_job_without_an_answer_is_explained_by_its_last_line(tmp_path):
    target = Toy(says="module: command not found\n")
    with pytest.raises(
        WorkerLostError, match=r"exit code 7\. .*module: command not found"
    ) as caught:
        hello(target, tmp_path)
    assert str(tmp_path / "check" / "logs") in caught.value.hint


def test_the_error_of_a_rank_is_passed_on(tmp_path):
    error = {"message": "Rank 1 of 2: no room.", "hint": "Make some."}
    with pytest.raises(WorkerLostError, match="target 'toy' failed: Rank 1 of 2: no room"):
        hello(Toy(leaves={"error": error}), tmp_path)


def test_a_hello_that_takes_too_long_or_is_stopped_is_ended(tmp_path):
    heard = []
    target = Toy(ends=False)
    with pytest.raises(TimeoutOccuredError, match=r"did not end in 0.2 s. It waits\."):
        hello(target, tmp_path, timeout_s=0.2, on_event=heard.append)
    assert target.stops == [True]
    assert heard.count(Notice("info", "It waits.")) == 1
    token, target = CancelToken(), Toy(ends=False)
    token.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match=r"Stopped by Ctrl\+C"):
        hello(target, tmp_path / "other", cancel=token)
    assert target.stops == [True]


def test_a_target_that_is_silent_is_asked_until_the_job_has_ended(tmp_path, monkeypatch):
    target, answers = Toy(ends=False), [JobStatus("running"), JobStatus("unknown")]
    monkeypatch.setattr(target, "status", lambda _: answers.pop() if answers else ENDED)
    monkeypatch.setattr(target, "stop", lambda *_, **__: answers.append(JobStatus("unknown")))
    token = CancelToken()
    token.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match="Stopped by"):
        hello(target, tmp_path, cancel=token)
    assert answers == []


def test_a_folder_that_cannot_be_made_is_named_with_what_chooses_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FailedToWriteOutputsError, match="could not be made") as caught:
        hello(Toy(), tmp_path / "file")
    assert caught.value.hint == "The hello runs in the workspace, which IMAGELOOM_WORKSPACE names."


def test_a_target_that_cannot_be_reached_says_why(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert trouble_of(LocalTarget()) == ""
    assert "no command 'scontrol'" in trouble_of(SlurmTarget("lab", SlurmOptions()))
