"""A cluster that Slurm looks after: each job is a batch job in its queue."""

import contextlib
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError, ImageloomError
from imageloom.files.locks import release
from imageloom.spec.job import LOCK_WANTED_FILE
from imageloom.spec.target import JobStatus, Limits, Target, Work
from imageloom.spec.target_kind import TARGET_KINDS, TargetKind, TargetOptions
from imageloom.spec.target_limits import require_within
from imageloom.system.machine import signal_name
from imageloom.targets.slurm.commands import TIMEOUT_S, ask_slurm, cancel, submit
from imageloom.targets.slurm.job_files import script_of, variables_of, write_files
from imageloom.targets.slurm.options import SlurmOptions
from imageloom.targets.slurm.queue import Queue, QueuedJob, cluster_words, may_ask_again
from imageloom.targets.slurm.script import OUTER_LOG_FILE, SCRIPT_FILE, STOP_FILE
from imageloom.targets.slurm.submission import (
    Submission,
    forget_submission,
    read_exit_code,
    read_submission,
    submission_age_s,
    write_submission,
)

_EXIT_FILE_S: Final = 10.0  # for a shared file system to show what was written elsewhere
_SUBMIT_S: Final = 2 * TIMEOUT_S  # in which another process's sbatch has been heard, or given up


@dataclass(frozen=True)
class _Wish:
    """A wish to stop that did not reach Slurm.

    Attributes:
        at_once: Whether the job shall not save.
        asked: When it was tried last, by the clock of this process.
        trouble: What was in its way, as a sentence.
    """

    at_once: bool
    asked: float
    trouble: str


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
        self._queues: dict[str, Queue] = {}
        self._locks: dict[Path, int] = {}
        self._seen: set[Path] = set()  # of jobs that this process submitted or saw alive
        self._ended_at: dict[Path, float] = {}
        self._unheard: dict[Path, _Wish] = {}

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
        submission = self._submit(folder, submission)
        self._seen.add(folder)
        self._queue(submission).forget()
        try:
            write_submission(folder, submission)
        except ImageloomError:
            _cancel_named(submission)  # a caller who hears of an error must not have a job
            raise
        if lock is not None:
            self._locks[folder] = os.dup(lock)

    def status(self, folder: Path) -> JobStatus:
        """Say what the queue says; a job that it forgot has ended as its files say."""
        try:
            submission = read_submission(folder)
            if submission is None:
                return self._ended(folder, "never started")
            if (folder / LOCK_WANTED_FILE).exists():
                self._let_go(folder)
            job = self._queue(submission).find(submission.id, submission.name)
            if job is not None and not job.has_ended:
                return self._alive(folder, job)
            return self._how_it_ended(folder, submission, job)
        except (EnvironmentUnsuitableError, OSError) as problem:
            return JobStatus("unknown", note=self._trouble(problem))

    def end_signal(self, _folder: Path) -> int | None:
        """Return None: Slurm is asked now and then."""
        return None

    def stop(self, folder: Path, *, at_once: bool) -> None:
        """Ask a job to save and stop, or take it out of the queue when it waits there.

        When Slurm does not answer, it is asked again whenever the status of the job is.
        """
        try:
            submission = read_submission(folder)
            if submission is not None:
                self._stop(folder, submission, at_once=at_once)
        except (EnvironmentUnsuitableError, OSError) as problem:
            self._unheard[folder] = _Wish(at_once, time.monotonic(), self._trouble(problem))
        else:
            self._unheard.pop(folder, None)

    def _submit(self, folder: Path, submission: Submission) -> Submission:
        """Give the script of a folder to Slurm; return what is known of the job then."""
        words = ("--parsable", *_log_words(folder), SCRIPT_FILE)
        try:
            answer = submit(folder, *words, queue=self._options.queue)
        except EnvironmentUnsuitableError as problem:
            if problem.reason != "slurm-silent":  # then there may be a job
                with contextlib.suppress(OSError):  # a job that nobody finds by its name has ended
                    forget_submission(folder)
            raise
        return submission.model_copy(update=_number_and_cluster(answer))

    def _queue(self, submission: Submission) -> Queue:
        cluster = submission.cluster
        return self._queues.setdefault(cluster, Queue(cluster))

    def _stop(self, folder: Path, submission: Submission, *, at_once: bool) -> None:
        try:
            (folder / STOP_FILE).touch()  # so that the script does not put it back into the queue
        except OSError:
            if not at_once:  # what is ended at once does not come to that
                raise
        queue = self._queue(submission)
        job = queue.find(submission.id, submission.name)
        if job is not None and not job.has_ended:
            _end(job, at_once=at_once)
            queue.forget()

    def _alive(self, folder: Path, job: QueuedJob) -> JobStatus:
        self._seen.add(folder)
        self._ended_at.pop(folder, None)
        wish = self._unheard.get(folder)
        if wish is not None and may_ask_again(wish.asked):
            self.stop(folder, at_once=wish.at_once)
            wish = self._unheard.get(folder)
        return JobStatus("running", note=self._note(job) if wish is None else wish.trouble)

    def _trouble(self, problem: EnvironmentUnsuitableError | OSError) -> str:
        if isinstance(problem, EnvironmentUnsuitableError):
            return f"Target {self.name}: {problem.message}"
        return f"Target {self.name}: {problem.filename}: {problem.strerror}."

    def _note(self, job: QueuedJob) -> str:
        if not job.waits:
            return ""
        reason = "" if job.reason in ("", "None") else f": {job.reason}"
        return f"Job {job.id} waits in the queue of target {self.name}{reason}."

    def _how_it_ended(
        self, folder: Path, submission: Submission, job: QueuedJob | None
    ) -> JobStatus:
        code = read_exit_code(folder)
        if code is None and self._may_have_just_ended(folder, submission, job):
            since = self._ended_at.setdefault(folder, time.monotonic())
            if time.monotonic() - since < _EXIT_FILE_S:
                return JobStatus("running")
        out_of_memory = job is not None and job.state == "OUT_OF_MEMORY"
        return self._ended(folder, _reason(code, job), out_of_memory=out_of_memory)

    def _may_have_just_ended(
        self, folder: Path, submission: Submission, job: QueuedJob | None
    ) -> bool:
        """Return whether an exit code may still appear, or the job itself.

        A job that the queue does not know, and that we did not see alive, ended minutes ago: else
        every new process would hold it for alive anew.
        """
        if job is not None:
            return job.state in ("COMPLETED", "FAILED")
        is_new = not submission.id and submission_age_s(folder) < _SUBMIT_S
        return is_new or folder in self._seen

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


def _log_words(folder: Path) -> tuple[str, ...]:
    """Return what the script cannot say of its log, because Slurm reads %j as the job's number."""
    if "%" not in str(folder):
        return ()
    return (f"--output={str(folder / OUTER_LOG_FILE).replace('%', '%%')}",)


def _number_and_cluster(answer: str) -> dict[str, str]:
    """Return what sbatch says of a new job; without a number it is found by its name.

    The last line counts: sites put words of their own before it.
    """
    job_id, _, cluster = answer.strip().rpartition("\n")[2].strip().partition(";")
    return {"id": job_id, "cluster": cluster} if job_id.isdecimal() else {}


def _cancel_named(submission: Submission) -> None:
    which = submission.id or f"--name={submission.name}"
    cancel(*cluster_words(submission.cluster), which)


def _end(job: QueuedJob, *, at_once: bool) -> None:
    which = (*cluster_words(job.cluster), job.id)
    if not at_once:
        cancel("--state=PENDING", *which)
        cancel("--batch", "--signal=TERM", *which)
        return
    with contextlib.suppress(EnvironmentUnsuitableError):  # it waits; the next one counts
        cancel("--batch", "--signal=USR2", *which)  # the script then kills the program
    cancel(*which)


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
