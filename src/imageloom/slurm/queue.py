"""What Slurm's queue says of this user's jobs, asked for all of them at once and not too often."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.slurm.commands import ask_slurm

LOOK_S: Final = 1.5
ANSWER_S: Final = 2.0  # that we wait for an answer; a squeue without controller takes 9 s
SILENCE_S: Final = 10.0  # before a Slurm that did not answer is asked again
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
    """

    id: str
    state: str
    reason: str
    name: str

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

    def __init__(self) -> None:
        super().__init__(name="squeue", daemon=True)
        self.began = time.monotonic()
        self.text = ""
        self.error: EnvironmentUnsuitableError | None = None

    def run(self) -> None:
        """Ask for all jobs of this user."""
        user = f"--user={os.getuid()}"
        words = ("--noheader", user, "--states=all", f"--format={_FORMAT}")
        try:
            self.text = ask_slurm("squeue", *words)
        except EnvironmentUnsuitableError as problem:
            self.error = problem


class Queue:
    """This user's jobs. Jobs that ended stay for some minutes."""

    def __init__(self) -> None:
        self._jobs: dict[str, QueuedJob] = {}
        self._looked = -LOOK_S
        self._silence: EnvironmentUnsuitableError | None = None
        self._look: _Look | None = None

    def find(self, job_id: str, name: str) -> QueuedJob | None:
        """Return a job, or None when the queue does not know it (any more).

        Args:
            job_id: Its number; empty when it is known by its name only.
            name: Its name, which is like no other's.

        Raises:
            EnvironmentUnsuitableError: Slurm does not answer.
        """
        age_s = time.monotonic() - self._looked
        if (
            self._silence is None
            and age_s < LOOK_S
            and (found := self._find(job_id, name)) is not None
        ):
            return found
        self._ask()  # also before it is said that there is none: it may be new
        return self._find(job_id, name)

    def forget(self) -> None:
        """Ask anew the next time, because something was changed."""
        self._looked = -LOOK_S
        self._silence = None
        self._look = None

    def _find(self, job_id: str, name: str) -> QueuedJob | None:
        if job_id:
            return self._jobs.get(job_id)
        return next((job for job in self._jobs.values() if job.name == name), None)

    def _ask(self) -> None:
        if self._silence is not None and time.monotonic() - self._looked < SILENCE_S:
            raise _again(self._silence)
        look, self._look = self._look or _started(), None
        if look.is_alive():
            self._look = look  # its answer is taken when we are asked again
            raise EnvironmentUnsuitableError(
                f"squeue has not answered for more than {ANSWER_S:g} s.",
                hint="Is Slurm's controller busy or away? 'scontrol ping' says so.",
                reason="slurm-silent",
            )
        self._looked, self._silence = look.began, look.error
        if look.error is not None:
            self._looked = time.monotonic()
            raise _again(look.error)
        self._jobs = {job.id: job for job in map(_read, look.text.splitlines()) if job is not None}


def _started() -> _Look:
    look = _Look()
    look.start()
    look.join(ANSWER_S)
    return look


def _read(line: str) -> QueuedJob | None:
    words = line.strip().split("|", 3)
    return QueuedJob(*words) if len(words) == 4 else None


def _again(error: EnvironmentUnsuitableError) -> EnvironmentUnsuitableError:
    """Return a copy; the same one raised again and again would grow with every traceback."""
    return EnvironmentUnsuitableError(error.message, hint=error.hint, reason=error.reason)
