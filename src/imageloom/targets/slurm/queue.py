"""What Slurm's queue says of this user's jobs, asked for all of them at once and not too often."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.targets.slurm.commands import ask_slurm

LOOK_S: Final = 1.5
ANSWER_S: Final = 2.0  # that we wait for an answer; a squeue without controller takes 9 s
SILENCE_S: Final = 10.0  # before a Slurm that did not answer is asked again
TRUSTED_S: Final = 30.0  # that an answer stands for the next one, when squeue is slow
_FORMAT: Final = "%A|%T|%r|%j"
# All others are states of jobs that run or may run (again). Source: squeue(1), job state codes.
_ENDS: Final = (
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"),
    *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
)


@dataclass(frozen=True)
class QueuedJob:
    """A job as the queue shows it.

    Attributes:
        id: Its number.
        state: As Slurm writes it: ``PENDING``.
        reason: Why it waits or has ended, in one word of Slurm's: ``Resources``; or ``None``.
        name: What it was called when it was submitted.
        cluster: Where it is; empty for the cluster of this machine.
    """

    id: str
    state: str
    reason: str
    name: str
    cluster: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether it will not run (again)."""
        return self.state in _ENDS

    @property
    def waits(self) -> bool:
        """Whether it has no machines now."""
        return not self.has_ended and self.state not in ("RUNNING", "COMPLETING", "SUSPENDED")


class _Look(threading.Thread):
    """One call of squeue, beside a caller who has other things to do."""

    def __init__(self, cluster: str) -> None:
        super().__init__(name="squeue", daemon=True)
        self.began = time.monotonic()
        self.ended = self.began
        self.jobs: dict[str, QueuedJob] = {}
        self.error: EnvironmentUnsuitableError | None = None
        self._cluster = cluster

    def run(self) -> None:
        """Ask for all jobs of this user."""
        user = f"--user={os.getuid()}"
        words = ("--noheader", user, "--states=all", f"--format={_FORMAT}")
        try:
            text = ask_slurm("squeue", *words, *cluster_words(self._cluster))
            self.jobs = {job.id: job for job in _read(text, self._cluster)}
        except EnvironmentUnsuitableError as problem:
            self.error = problem
        self.ended = time.monotonic()


class Queue:
    """This user's jobs on one cluster. Jobs that ended stay for some minutes.

    Args:
        cluster: Its name; empty for that of this machine.
    """

    def __init__(self, cluster: str = "") -> None:
        self._cluster = cluster
        self._look: _Look | None = None  # under way
        self._answer: _Look | None = None  # the last that heard something
        self._silence: _Look | None = None  # the last, when it heard nothing
        self._is_due = True
        self._first_asked: dict[tuple[str, str], float] = {}

    def find(self, job_id: str, name: str) -> QueuedJob | None:
        """Return a job, or None when the queue does not know it (any more).

        Args:
            job_id: Its number; empty when it is known by its name only.
            name: Its name, which is like no other's.

        Raises:
            EnvironmentUnsuitableError: Slurm does not answer.
        """
        self._first_asked.setdefault((job_id, name), time.monotonic())
        self._take_answer()
        if self._look is None and self._must_look():
            self._begin_look()
        while self._silence is None and self._is_unsure(job_id, name):
            self._wait_for_answer()
        if self._silence is not None and self._silence.error is not None:
            raise _again(self._silence.error)
        return self._find(job_id, name)

    def forget(self) -> None:
        """Ask anew the next time, because something was changed."""
        self._is_due, self._silence = True, None

    def _find(self, job_id: str, name: str) -> QueuedJob | None:
        jobs = {} if self._answer is None else self._answer.jobs
        if job_id:
            return jobs.get(job_id)
        return next((job for job in jobs.values() if job.name == name), None)

    def _must_look(self) -> bool:
        if self._silence is not None:
            return may_ask_again(self._silence.ended)
        return (
            self._is_due or self._answer is None or time.monotonic() - self._answer.began >= LOOK_S
        )

    def _is_unsure(self, job_id: str, name: str) -> bool:
        """Return whether nothing can be said of a job without a new answer.

        One that was asked for before the first question may not know a job submitted since.
        """
        if self._answer is None or time.monotonic() - self._answer.ended >= TRUSTED_S:
            return True
        is_older = self._answer.began < self._first_asked[job_id, name]
        return is_older and self._find(job_id, name) is None

    def _begin_look(self) -> _Look:
        self._look, self._is_due = _Look(self._cluster), False
        self._look.start()
        return self._look

    def _wait_for_answer(self) -> None:
        look = self._look or self._begin_look()
        look.join(max(0.0, look.began + ANSWER_S - time.monotonic()))
        if look.is_alive():  # its answer is taken when we are asked again
            raise EnvironmentUnsuitableError(
                f"squeue has not answered for more than {ANSWER_S:g} s.",
                hint="Is Slurm's controller busy or away? 'scontrol ping' says so.",
                reason="slurm-silent",
            )
        self._take_answer()

    def _take_answer(self) -> None:
        look = self._look
        if look is None or look.is_alive():
            return
        self._look = None
        if look.error is None:
            self._answer, self._silence = look, None
        else:
            self._silence = look


def may_ask_again(since: float) -> bool:
    """Return whether a Slurm that did not hear us at some time has had its rest."""
    return time.monotonic() - since >= SILENCE_S


def cluster_words(cluster: str) -> tuple[str, ...]:
    """Return the option that names a cluster to one of Slurm's commands."""
    return (f"--clusters={cluster}",) if cluster else ()


def _read(text: str, cluster: str) -> Iterator[QueuedJob]:
    for line in text.splitlines():
        words = line.strip().split("|", 3)
        if len(words) == 4:  # of several clusters there are also lines with their names
            job_id, state, reason, name = words
            yield QueuedJob(job_id, state, reason, name, cluster)


def _again(error: EnvironmentUnsuitableError) -> EnvironmentUnsuitableError:
    """Return a copy; the same one raised again and again would grow with every traceback."""
    return EnvironmentUnsuitableError(error.message, hint=error.hint, reason=error.reason)
