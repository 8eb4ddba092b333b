"""A training on a target is followed: what its job tells, its queue, its end, and our own end."""

import json
import shutil
import threading
import time

import pytest
from networks import TINY

from imageloom.errors import (
    CannotResumeError,
    FailedToWriteOutputsError,
    InvalidDatasetError,
    LessThanOrEqualToError,
    OutputInUseError,
    ParameterParsingError,
    RunInterruptedError,
    StoreBusyError,
    WorkerLostError,
)
from imageloom.events import CancelToken, Control, Metric, Notice
from imageloom.launch.params import LaunchParams
from imageloom.registry import Registry
from imageloom.remote import follow_training as target_training
from imageloom.remote.follow_training import (
    SUBMIT_LOCK,
    earlier_launch,
    refuse_running_job,
    resume_on,
    running_job,
    train_on,
)
from imageloom.remote.train_job import TRAIN_JOB_FILE
from imageloom.spec.scale import Scale
from imageloom.spec.target import JobStatus, Limits, Work
from imageloom.targets.local import LocalTarget
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun

DEADLINE_S = 60.0
# Stands for imageloom.remote.train_job: tells a metric, then does as the file 'how' says.
TOY = """
import json, os, signal, sys
from pathlib import Path
from imageloom.errors import InvalidDatasetError, RunInterruptedError
from imageloom.files.event_lines import EventWriter
from imageloom.events import Metric
from imageloom.files.publish import write_json
from imageloom.training.run.directory import RunDirectory
folder = Path(sys.argv[1])
job = json.loads((folder / "train_job.json").read_text())
def answer(error, code):
    write_json(folder / "error_info.json", error.to_json())
    os._exit(code)
def save(*_):
    resume = RunDirectory(Path(job["run"])).resume
    answer(RunInterruptedError.stopped_by("SIGTERM", resume=resume), 143)
signal.signal(signal.SIGTERM, save)
tell = EventWriter(folder / "events.jsonl")
tell(Metric("Train loss", float(job["launch"]["nodes"]), 1.0, 1))
how = ""
while not how:
    how = (folder / "how").read_text() if (folder / "how").exists() else ""
    signal.sigtimedwait([], 0.01)
if how == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write_json(folder / "deaf", {})
    signal.pause()
if how == "fail":
    answer(InvalidDatasetError("no pictures here", hint="Bring some."), 1)
if how == "die":
    os.kill(os.getpid(), signal.SIGKILL)
record = json.loads((Path(job["run"]) / "run.json").read_text())
write_json(Path(job["run"]) / "run.json", record | {"state": "completed"})
"""


class Lab(LocalTarget):
    """A target of two nodes whose jobs are toys; it remembers what it was asked for."""

    limits = Limits(nodes=2, processing_units_per_node=4, heavy_jobs=1, light_jobs=1)

    def __init__(self, name="lab") -> None:
        super().__init__()
        self.name = name
        self.works: list[Work] = []
        self.note = ""

    def start(self, folder, work, *, lock=None):
        self.works.append(work)
        super().start(folder, Work(("-c", TOY, work.program[-1])), lock=lock)

    def status(self, folder):
        status = super().status(folder)
        return JobStatus("running", note=self.note) if status.state == "running" else status


@pytest.fixture
def run(tmp_path):
    run = tmp_path / "my run"  # commands that a person copies must quote it
    (run / "job").mkdir(parents=True)
    record = {"state": "running", "metrics": {"Overall_Accuracy": 0.5}, "epochs_done": 2}
    text = json.dumps(record | {"best_epoch": 1, "processes": 2})
    (run / "run.json").write_text(text, encoding="utf-8")
    return run


@pytest.fixture
def lab(run):
    lab = Lab()
    yield lab
    lab.stop(run / "job", at_once=True)
    wait_until(lambda: lab.status(run / "job").state == "ended")


@pytest.fixture
def targets(lab):
    targets = Registry("target")
    targets.declare("lab", lab)
    targets.declare("other", Lab("other"))
    return targets


def wait_until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def go(run, how):
    (run / "job" / "how").write_text(how, encoding="utf-8")


def follow(targets, run, *, heard=None, cancel=None, name="lab", **launch):
    return resume_on(
        targets,
        name,
        run,
        launch=LaunchParams.parse(launch),
        control=Control.of([].append if heard is None else heard.append, cancel),
    )


def test_what_the_job_tells_is_heard_and_its_result_returned(targets, lab, run):
    lab.note = "Job 7 waits."
    go(run, "well")
    heard = []
    result = follow(targets, run, heard=heard, nodes="1:2", processes_per_node=3)
    assert (result.epochs, result.best_epoch, result.metrics["Overall_Accuracy"]) == (2, 1, 0.5)
    assert Metric("Train loss", 2.0, 1.0, 1) in heard
    assert heard.count(Notice("info", "Job 7 waits.")) <= 1
    (work,) = lab.works
    assert (work.scale, work.demand) == (Scale(1, 2, 3), "heavy")
    assert work.program == ("-m", "imageloom.remote.train_job", str(run / "job"))
    assert earlier_launch(run) == LaunchParams(nodes=2, min_nodes=1, processes_per_node=3)


def test_a_completed_run_needs_no_job(targets, lab, run):
    go(run, "well")
    follow(targets, run)
    heard = []
    assert follow(targets, run, heard=heard).epochs == 2
    assert "is completed" in heard[0].message
    assert len(lab.works) == 1


def test_the_error_of_the_job_is_raised_here(targets, run):
    go(run, "fail")
    with pytest.raises(InvalidDatasetError, match="no pictures here") as caught:
        follow(targets, run)
    assert caught.value.hint == "Bring some."


def test_a_job_that_is_killed_is_named_with_its_logs(targets, run):
    go(run, "die")
    with pytest.raises(
        WorkerLostError, match=r"'lab' gave no answer: killed by signal 9"
    ) as caught:
        follow(targets, run)
    assert str(run / "job" / "logs") in caught.value.hint


def test_a_run_that_was_deleted_while_it_was_trained_is_named(targets, lab, run):
    def delete(_event):
        lab.stop(run / "job", at_once=True)
        shutil.rmtree(run)

    with pytest.raises(FailedToWriteOutputsError, match=r"my run disappeared while it was trained"):
        resume_on(targets, "lab", run, launch=LaunchParams(), control=Control(delete))
    assert not run.exists()


def test_a_job_that_never_wrote_anything_may_not_see_the_folder(targets, lab, run):
    with pytest.raises(WorkerLostError, match="gave no answer: job 7 ended as FAILED") as caught:
        follow_what_never_begins(targets, lab, run, CancelToken())
    assert caught.value.hint == f"Nothing was written. Can the target see {run / 'job'}?"
    (run / "job" / TRAIN_JOB_FILE).unlink()
    cancel = CancelToken()
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match="left the queue before it began"):
        follow_what_never_begins(targets, lab, run, cancel)


def follow_what_never_begins(targets, lab, run, cancel):
    lab.start = lambda *_: None
    states = [JobStatus("ended", reason="job 7 ended as FAILED"), JobStatus("running")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "status", lambda _: states.pop() if len(states) > 1 else states[0])
        follow(targets, run, cancel=cancel)


def test_asked_to_stop_it_has_the_job_save_and_says_how_to_go_on(targets, run):
    cancel = CancelToken()

    def stop(event):
        if isinstance(event, Metric):
            cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError, match=r"Stopped by Ctrl\+C\.") as caught:
        resume_on(targets, "lab", run, launch=LaunchParams(), control=Control(stop, cancel=cancel))
    assert caught.value.resume.command == f"imageloom train --resume '{run}' --target lab"
    assert running_job(run, targets) is None


def test_asked_again_it_ends_the_job_at_once(targets, lab, run, monkeypatch):
    cancel, stops, stop = CancelToken(), [], lab.stop
    go(run, "hang")

    def ask_again(folder, *, at_once):
        stops.append(at_once)
        if not at_once:
            wait_until((run / "job" / "deaf").exists)
            cancel.set("Ctrl+C")
        stop(folder, at_once=at_once)

    monkeypatch.setattr(lab, "stop", ask_again)
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match="ended before it had saved: killed") as caught:
        follow(targets, run, cancel=cancel)
    assert stops == [False, True]
    assert str(caught.value).endswith(f"imageloom train --resume '{run}' --target lab")
    monkeypatch.setattr(lab, "stop", stop)


def test_who_is_not_watched_any_more_leaves_and_the_job_goes_on(targets, lab, run):
    heard = []
    with pytest.raises(RunInterruptedError, match="The job on target 'lab' goes on") as caught:
        resume_on(
            targets,
            "lab",
            run,
            launch=LaunchParams(),
            is_unwatched=lambda: any(isinstance(event, Metric) for event in heard),
            control=Control(heard.append),
        )
    assert caught.value.resume.command == f"imageloom train --resume '{run}' --target lab"
    assert running_job(run, targets).target == "lab"


def test_a_wish_to_stop_is_seen_through_although_nobody_watches(targets, run):
    cancel = CancelToken()

    def stop(event):
        if isinstance(event, Metric):
            cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError, match=r"Stopped by Ctrl\+C\."):
        resume_on(
            targets,
            "lab",
            run,
            launch=LaunchParams(),
            is_unwatched=lambda: cancel.is_set,
            control=Control(stop, cancel=cancel),
        )
    assert running_job(run, targets) is None


class GoneError(Exception):
    """The follower has died, as its process may."""


def die(*_):
    raise GoneError


def start_and_leave(targets, run):
    with pytest.raises(GoneError):
        resume_on(targets, "lab", run, launch=LaunchParams(), control=Control(die))


def test_a_job_outlives_who_followed_it_and_is_followed_again(targets, lab, run):
    start_and_leave(targets, run)
    assert running_job(run, targets).target == "lab"
    heard, ends = [], []
    follower = threading.Thread(target=lambda: ends.append(follow(targets, run, heard=heard)))
    follower.start()
    wait_until(lambda: any(isinstance(event, Metric) for event in heard))
    go(run, "well")
    follower.join(30)
    assert len(ends) == len(lab.works) == 1
    assert heard[0].message == "A job of this run is on target lab already: following it."


def test_a_run_with_a_job_elsewhere_is_left_alone(targets, lab, run):
    start_and_leave(targets, run)
    with pytest.raises(OutputInUseError, match="is on target 'lab'") as caught:
        follow(targets, run, name="other")
    assert caught.value.resume.command == f"imageloom train --resume '{run}' --target lab"
    with pytest.raises(OutputInUseError, match="is on target 'lab'") as caught:
        refuse_running_job(run, targets)
    assert caught.value.resume.command == f"imageloom train --resume '{run}' --target lab"
    lab.stop(run / "job", at_once=True)
    wait_until(lambda: running_job(run, targets) is None)
    refuse_running_job(run, targets)


def test_pictures_are_not_moved_below_a_job_that_trains_with_them(targets, lab, run, monkeypatch):
    pointed = []
    # Stands in for proving pictures, which this run has none of.
    monkeypatch.setattr(target_training, "point_anew", lambda _, root, **__: pointed.append(root))
    start_and_leave(targets, run)
    with pytest.raises(OutputInUseError, match="its pictures cannot be moved now") as caught:
        resume_on(targets, "lab", run, root="/new", launch=LaunchParams(), control=Control())
    command = f"imageloom train --resume '{run}' --target lab"
    assert caught.value.hint == "Stop it first, or leave --root out to follow it."
    assert caught.value.resume.command == command
    assert pointed == []
    lab.stop(run / "job", at_once=True)
    wait_until(lambda: running_job(run, targets) is None)
    go(run, "well")
    assert (
        resume_on(targets, "lab", run, root="/new", launch=LaunchParams(), control=Control()).epochs
        == 2
    )
    assert pointed == ["/new"]


def test_what_the_target_does_not_have_is_refused_before_there_is_a_run_or_a_job(
    targets, lab, run, tmp_path
):
    with pytest.raises(
        LessThanOrEqualToError, match="count of 3, but target 'lab' has 2"
    ) as caught:
        follow(targets, run, nodes=3)
    assert caught.value.hint == "Use at most 2."
    launch = LaunchParams(processes_per_node=5)
    with pytest.raises(
        LessThanOrEqualToError, match=r"5 processes per node, .* 4 processing units"
    ):
        train_on(
            lab,
            NewRun("resnet18", tmp_path, tmp_path, tmp_path / "out"),
            launch=launch,
            control=Control(),
        )
    assert lab.works == []
    assert not (tmp_path / "out").exists()
    assert not (run / "job" / TRAIN_JOB_FILE).exists()
    assert [file.name for file in (run / "job").iterdir()] == [SUBMIT_LOCK]


def test_while_one_submits_a_job_nobody_else_does(targets, lab, run, monkeypatch):
    monkeypatch.setattr(target_training, "_SUBMIT_S", 0.0)
    go(run, "well")
    start = lab.start

    def start_while_another_resumes(folder, work):
        with pytest.raises(StoreBusyError, match=r"submit.lock has been held by process"):
            follow(targets, run)
        start(folder, work)

    lab.start = start_while_another_resumes
    follow(targets, run)
    assert len(lab.works) == 1


@pytest.mark.slow
def test_the_device_is_that_of_the_target_and_not_of_the_machine_that_prepares(
    lab, make_pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    pictures = make_pictures(per_class=2), make_pictures(per_class=1, seed=1)
    out, params = tmp_path / "out", TrainParams(device="cuda", batch_size=2)

    def train(params):
        new = NewRun(TINY, *pictures, out, params=params)
        return train_on(lab, new, launch=LaunchParams(), control=Control())

    with pytest.raises(ParameterParsingError, match='device is "gpu", but must be auto, cpu'):
        train(params.replace(device="gpu"))
    monkeypatch.setattr(lab, "start", die)
    with pytest.raises(GoneError):
        train(params)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["asked"]["device"] == "cuda"


@pytest.mark.parametrize("content", ["{}", '{"run": 1, "launch": {"nodes": 0}, "target": "x"}'])
def test_a_job_that_was_changed_is_an_error_that_names_its_file(tmp_path, content):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / TRAIN_JOB_FILE).write_text(content)
    with pytest.raises(CannotResumeError, match=r"train_job.json is not as Imageloom wrote it"):
        earlier_launch(tmp_path)
