"""A cluster that Slurm looks after: each job is a batch job in its queue."""

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError, FailedToWriteOutputsError
from imageloom.locks import release
from imageloom.machine import signal_name
from imageloom.slurm.commands import ask_slurm
from imageloom.slurm.job_files import script_of, variables_of, write_files
from imageloom.slurm.options import SlurmOptions
from imageloom.slurm.queue import Queue, QueuedJob
from imageloom.slurm.script import SCRIPT_FILE, STOP_FILE
from imageloom.slurm.submission import (
    Submission,
    forget_submission,
    read_exit_code,
    read_submission,
    write_submission,
)
from imageloom.spec.job import LOCK_WANTED_FILE
from imageloom.spec.target import JobStatus, Limits, Target, Work
from imageloom.spec.target_kind import TARGET_KINDS, TargetKind, TargetOptions
from imageloom.spec.target_limits import require_within

_EXIT_FILE_S: Final = 10.0  # for a shared file system to show what was written elsewhere


class SlurmTarget:
    """Submits jobs by ``sbatch`` and follows them by ``squeue``; accounting is not needed.

    The job's folder must lie on storage that all machines of the cluster see.

    Args:
        name: What a person calls it.
        options: What they set.
        environment: Variables to choose those of the jobs from; by default this process's.
    """

    title = "Slurm"
    help = "A job in the queue of a cluster; its folder lies on storage that all machines see."

    def __init__(
        self, name: str, options: SlurmOptions, environment: Mapping[str, str] = os.environ
    ) -> None:
        self.name = name
        self._options = options
        self._environment = environment
        self._queue = Queue()
        self._locks: dict[Path, int] = {}
        self._ended_at: dict[Path, float] = {}
        self._unheard: dict[Path, bool] = {}  # wishes to stop that did not reach Slurm: at once?

    @property
    def limits(self) -> Limits:
        """What a person says; Slurm itself is asked when a job is submitted."""
        return Limits(
            nodes=self._options.max_nodes,
            processing_units_per_node=self._options.processing_units_per_node,
            heavy_jobs=self._options.jobs,
            light_jobs=self._options.jobs,
        )

    def require_reachable(self) -> None:
        """Ask Slurm's controller whether it is there.

        Raises:
            EnvironmentUnsuitableError: It is not, or there is no Slurm on this machine.
        """
        if "is UP" not in ask_slurm("scontrol", "ping"):
            raise EnvironmentUnsuitableError(
                "Slurm's controller does not answer.",
                hint="'scontrol ping' says which one was asked.",
                reason="slurm-silent",
            )

    def start(self, folder: Path, work: Work, *, lock: int | None = None) -> None:
        """Submit a job.

        Raises:
            LessThanOrEqualToError: It asks for more than the target has.
            EnvironmentUnsuitableError: Slurm cannot be reached, or refuses; the message has its
                words.
            FailedToWriteOutputsError: The job's folder cannot be written.
        """
        require_within(self.limits, work, self.name)
        submission = Submission(name=f"imageloom-{secrets.token_hex(6)}")
        self._ended_at.pop(folder, None)
        self._unheard.pop(folder, None)
        variables = variables_of(self._environment, self._options, work, has_lock=lock is not None)
        write_files(folder, script_of(self._options, work, submission.name), variables)
        # Before there is a job, so that it can be found by its name whatever becomes of us.
        write_submission(folder, submission)
        job_id = _submit(folder)
        self._queue.forget()
        try:
            write_submission(folder, submission.model_copy(update={"id": job_id}))
        except FailedToWriteOutputsError:
            ask_slurm("scancel", job_id)  # a caller who hears of an error must not have a job
            raise
        if lock is not None:
            self._locks[folder] = os.dup(lock)

    def status(self, folder: Path) -> JobStatus:
        """Say what the queue says; a job that it forgot has ended as its files say."""
        submission = read_submission(folder)
        if submission is None:
            return self._ended(folder, "never started")
        if (folder / LOCK_WANTED_FILE).exists():
            self._let_go(folder)
        try:
            job = self._queue.find(submission.id, submission.name)
        except EnvironmentUnsuitableError as problem:
            return JobStatus("unknown", note=f"Target {self.name}: {problem.message}")
        if job is not None and not job.has_ended:
            self._ended_at.pop(folder, None)
            if folder in self._unheard:
                self.stop(folder, at_once=self._unheard[folder])
            return JobStatus("running", note=self._note(job))
        return self._how_it_ended(folder, job)

    def end_signal(self, _folder: Path) -> int | None:
        """Return None: Slurm is asked now and then."""
        return None

    def stop(self, folder: Path, *, at_once: bool) -> None:
        """Ask a job to save and stop, or take it out of the queue when it waits there.

        When Slurm does not answer, it is asked again whenever the status of the job is.
        """
        submission = read_submission(folder)
        if submission is None:
            return
        (folder / STOP_FILE).touch()  # so that the script does not put it back into the queue
        try:
            job = self._queue.find(submission.id, submission.name)
            if job is not None and not job.has_ended:
                _end(job, at_once=at_once)
                self._queue.forget()
        except EnvironmentUnsuitableError:
            self._unheard[folder] = at_once
        else:
            self._unheard.pop(folder, None)

    def _note(self, job: QueuedJob) -> str:
        if not job.waits:
            return ""
        reason = "" if job.reason in ("", "None") else f": {job.reason}"
        return f"Job {job.id} waits in the queue of target {self.name}{reason}."

    def _how_it_ended(self, folder: Path, job: QueuedJob | None) -> JobStatus:
        code = read_exit_code(folder)
        if code is None and (job is None or job.state in ("COMPLETED", "FAILED")):
            since = self._ended_at.setdefault(folder, time.monotonic())
            if time.monotonic() - since < _EXIT_FILE_S:
                return JobStatus("running")
        out_of_memory = job is not None and job.state == "OUT_OF_MEMORY"
        return self._ended(folder, _reason(code, job), out_of_memory=out_of_memory)

    def _ended(self, folder: Path, reason: str, *, out_of_memory: bool = False) -> JobStatus:
        self._let_go(folder)
        return JobStatus("ended", reason=reason, out_of_memory=out_of_memory)

    def _let_go(self, folder: Path) -> None:
        """Close our copy of a lock."""
        lock = self._locks.pop(folder, None)
        if lock is not None:
            release(lock)


def _reason(code: int | None, job: QueuedJob | None) -> str:
    if code is not None and code > 128:
        return f"killed by signal {code - 128} ({signal_name(code - 128)})"
    if code is not None:
        return f"ended with exit code {code}"
    if job is None:
        return "its job is no longer in Slurm's queue"
    why = "" if job.reason in ("", "None") else f" ({job.reason})"
    return f"job {job.id} ended as {job.state}{why}, says Slurm"


def _submit(folder: Path) -> str:
    """Give the script of a folder to Slurm; return the number of the job."""
    try:
        answer = ask_slurm("sbatch", "--parsable", SCRIPT_FILE, folder=folder)
    except EnvironmentUnsuitableError as problem:
        if problem.reason != "slurm-silent":  # then there may be a job
            forget_submission(folder)
        raise
    return answer.strip().partition(";")[0]  # the name of the cluster may follow


def _end(job: QueuedJob, *, at_once: bool) -> None:
    if at_once:
        _cancel("--batch", "--signal=USR2", job.id)  # the script then kills the program
        _cancel(job.id)
    else:
        _cancel("--state=PENDING", job.id)
        _cancel("--batch", "--signal=TERM", job.id)


def _cancel(*words: str) -> None:
    """Run scancel; a job that has ended meanwhile needs none."""
    try:
        ask_slurm("scancel", "--quiet", *words)
    except EnvironmentUnsuitableError as problem:
        if problem.reason != "slurm-refused":
            raise


def make(name: str, options: TargetOptions) -> Target:
    """Return a target of this kind."""
    assert isinstance(options, SlurmOptions)
    return SlurmTarget(name, options)


TARGET_KINDS.declare(
    "slurm",
    TargetKind(
        name="slurm",
        title=SlurmTarget.title,
        help=SlurmTarget.help,
        options=SlurmOptions,
        make=make,
    ),
)
