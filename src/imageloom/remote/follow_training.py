"""Train on a target: the run is prepared here, a job trains there, and we follow it.

The job does not need us: when we are gone it goes on, and ``resume_on`` finds it again.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from imageloom.data.moved import Roots
from imageloom.errors import (
    CannotResumeError,
    ImageloomError,
    OutputInUseError,
    ParameterError,
    RunInterruptedError,
    WorkerLostError,
    error_from_json,
)
from imageloom.events import Control, EventSink, Notice
from imageloom.files.event_lines import EventTail
from imageloom.files.home import expand_home
from imageloom.files.locks import locked
from imageloom.files.publish import read_json, write_json
from imageloom.launch.params import LaunchParams
from imageloom.launch.tracked import trackers_going_on, tracking
from imageloom.registry import Registry
from imageloom.remote.train_job import JOB_FOLDER, TRAIN_JOB_FILE, TrainJob
from imageloom.resume_command import Resume
from imageloom.spec.job import ERROR_FILE, EVENTS_FILE, LOG_FILE
from imageloom.spec.target import Target, Work
from imageloom.spec.target_limits import require_within
from imageloom.tracking.choose import require_trackers
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.pictures import point_anew
from imageloom.training.train import NewRun, TrainResult, prepare_run, read_result

SUBMIT_LOCK: Final = "submit.lock"  # in the job's folder
_SUBMIT_S: Final = 180.0  # for others to look and submit: Slurm alone is given a minute to answer
_POLL_S: Final = 0.1


def train_on(
    target: Target,
    new: NewRun,
    *,
    launch: LaunchParams,
    track: Sequence[str] = (),
    control: Control,
    is_unwatched: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Prepare a run here and train it on a target.

    Args:
        target: Where; it must see ``new.out`` and the pictures.
        new: What is asked.
        launch: On how many machines and processes.
        track: Names of trackers, which run here, where their tokens are, while the job is followed.
        control: Hears progress, metrics and notices, of the preparation and of the job; asks the
            job to save and stop, and waits for that. Asked again, it ends the job.
        is_unwatched: Whether there is nobody left for whom to follow the job, which then goes on by
            itself; asked again and again.

    Raises:
        LessThanOrEqualToError: The target has not what is asked for; there is no run then.
        EnvironmentUnsuitableError: Likewise, a network interface between the machines.
        RunInterruptedError: Somebody asked to stop, and the run can go on; or nobody watches any
            more, and the job goes on.
        ImageloomError: As the target or ``imageloom.train``.
    """
    require_within(target.limits, _work(Path(), launch), target.name)
    require_trackers(track, os.environ)
    target.require_reachable()
    run = prepare_run(new, processes=launch.scale.world_size, processes_here=0, control=control)
    job = _submit(run, target, launch)
    with tracking(run, track, control):
        return _follow(job, target, control, is_unwatched)


def resume_on(  # noqa: PLR0913 - as train_on
    targets: Registry[Target],
    name: str,
    run: Path,
    *,
    root: Roots = (),
    launch: LaunchParams,
    track: Sequence[str] | None = None,
    control: Control,
    is_unwatched: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Go on with a run on a target; a job of it that still runs or waits there is followed.

    Args:
        targets: All that are known.
        name: Which one.
        run: The run directory.
        root: Where its pictures lie now, as ``imageloom.resume`` takes it.
        launch: On how many machines and processes; left aside when there is a job already.
        track: As ``train_on``; by default those that the run remembers.
        control: As ``train_on``.
        is_unwatched: As ``train_on``.

    Raises:
        OutputInUseError: A job of this run is on another target, or on this one while ``root`` is
            given.
        ImageloomError: As ``train_on``.
    """
    target, path = targets.get(name), expand_home(run).absolute()
    track = trackers_going_on(path, control) if track is None else track
    require_trackers(track, os.environ)
    if RunDirectory(path).is_completed:
        control.tell(Notice("info", RunDirectory(path).nothing_to_resume))
        return read_result(path)
    # Two who resume at the same moment must not submit a job each.
    with locked(path / JOB_FOLDER / SUBMIT_LOCK, timeout_s=_SUBMIT_S):
        found = running_job(path, targets)
        if found is None:
            require_within(target.limits, _work(Path(), launch), name)
        elif found.target != name:
            raise OutputInUseError(
                f"A job of this run is on target {found.target!r}.",
                hint="Follow it there.",
                reason="locked",
                resume=_resume(path, found.target),
            )
        if root:
            _point_anew(path, root, found, control)
        job = found or _submit(path, target, launch)
    if found is not None:
        control.tell(
            Notice("info", f"A job of this run is on target {name} already: following it.")
        )
    with tracking(path, track, control):
        return _follow(job, target, control, is_unwatched)


def _point_anew(run: Path, root: Roots, job: TrainJob | None, control: Control) -> None:
    if job is not None:
        raise OutputInUseError(
            f"A job of this run is on target {job.target!r}; its pictures cannot be moved now.",
            hint="Stop it first, or leave --root out to follow it.",
            reason="locked",
            resume=_resume(run, job.target),
        )
    point_anew(run, root, control=control)


def earlier_launch(run: Path) -> LaunchParams | None:
    """Return how the run's last job on a target was launched; None when there was none."""
    job = _last_job(run)
    return None if job is None else job.launch


def refuse_running_job(run: Path, targets: Registry[Target]) -> None:
    """Refuse to go on here with a run of which a job waits or runs on a target.

    Raises:
        OutputInUseError: There is one.
    """
    if (job := running_job(run, targets)) is not None:
        raise OutputInUseError(
            f"A job of this run is on target {job.target!r}.",
            hint="Follow it there.",
            reason="locked",
            resume=_resume(run, job.target),
        )


def running_job(run: Path, targets: Registry[Target]) -> TrainJob | None:
    """Return the job that trains a run, or waits to, on any target; None when there is none."""
    job = _last_job(run)
    if job is None or job.target not in targets:
        return None
    return None if targets.get(job.target).status(run / JOB_FOLDER).state == "ended" else job


def _last_job(run: Path) -> TrainJob | None:
    file = run / JOB_FOLDER / TRAIN_JOB_FILE
    if not file.is_file():
        return None
    try:
        return TrainJob.model_validate(read_json(file, CannotResumeError))
    except (ValidationError, ParameterError) as problem:
        raise CannotResumeError(
            f"{file} is not as Imageloom wrote it.",
            hint=f"It was changed. Restore it, or take the folder {file.parent} away.",
            reason="bad-record",
        ) from problem


def _submit(run: Path, target: Target, launch: LaunchParams) -> TrainJob:
    folder = run / JOB_FOLDER
    events = folder / EVENTS_FILE
    begin = events.stat().st_size if events.exists() else 0
    job = TrainJob(run=str(run), launch=launch, target=target.name, events_begin=begin)
    (folder / ERROR_FILE).unlink(missing_ok=True)
    write_json(folder / TRAIN_JOB_FILE, job.model_dump())
    target.start(folder, _work(folder, launch))
    return job


def _work(folder: Path, launch: LaunchParams) -> Work:
    return Work(
        program=("-m", "imageloom.remote.train_job", str(folder)),
        demand="heavy",
        scale=launch.scale,
        interface=launch.interface,
    )


def _follow(
    job: TrainJob,
    target: Target,
    control: Control,
    is_unwatched: Callable[[], bool],
) -> TrainResult:
    """Pass on what the job tells until it has ended; ask it to stop when we are asked to."""
    run, note, asked = Path(job.run), "", 0
    folder = run / JOB_FOLDER
    tail = EventTail(folder / EVENTS_FILE, start=job.events_begin)
    while True:
        status = target.status(folder)
        _pass_on(tail, control.on_event)
        if status.state == "ended":
            return _result(run, target, status.reason, asked_by=control.cancel.reason)
        if status.note and status.note != note:
            control.tell(Notice("info", status.note))
        note = status.note
        if control.cancel.asked > asked:
            asked = control.cancel.asked
            target.stop(folder, at_once=asked > 1)
        if not asked and is_unwatched():  # a wish to stop is seen through to the end
            raise RunInterruptedError(
                f"Nobody watches any more. The job on target {target.name!r} goes on.",
                hint="You may follow it again.",
                reason="unwatched",
                resume=_resume(run, target.name),
            )
        time.sleep(_POLL_S)


def _pass_on(tail: EventTail, on_event: EventSink) -> None:
    while events := tail.read():
        for event in events:
            on_event(event)


def _result(run: Path, target: Target, reason: str, *, asked_by: str) -> TrainResult:
    if gone := RunDirectory(run).disappearance():
        raise gone
    if RunDirectory(run).is_completed:
        return read_result(run)
    raise _error(run, target, reason, asked_by=asked_by)


def _error(run: Path, target: Target, reason: str, *, asked_by: str) -> ImageloomError:
    folder = run / JOB_FOLDER
    if (folder / ERROR_FILE).is_file():
        error = error_from_json(read_json(folder / ERROR_FILE, CannotResumeError))
        if error.resume is not None:
            error.resume = error.resume.knowing(target=target.name)
        if asked_by and isinstance(error, RunInterruptedError):
            return error.asked_by(asked_by)  # the job knows the signal by which we passed it on
        return error
    began = (folder / LOG_FILE).is_file()
    if asked_by and not began:
        return RunInterruptedError(
            f"The job on target {target.name!r} left the queue before it began.", reason="cancelled"
        )
    if asked_by:
        return RunInterruptedError(
            f"The job on target {target.name!r} ended before it had saved: {reason}.",
            hint="It goes on from its last checkpoint.",
            reason="cancelled",
            resume=_resume(run, target.name),
        )
    said = f"What it said last stands in {folder / 'logs'}."
    return WorkerLostError(
        f"The job on target {target.name!r} gave no answer: {reason}.",
        hint=said if began else f"Nothing was written. Can the target see {folder}?",
        reason="worker-lost",
    )


def _resume(run: Path, target_name: str) -> Resume:
    """Return how to go on, or to follow, on a target."""
    return RunDirectory(run).resume.knowing(target=target_name)
