"""What Slurm's queue says of this user's jobs, asked for all of them at once and not too often."""

import os
import time
from dataclasses import dataclass
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.slurm.commands import ask_slurm

LOOK_S: Final = 1.5
SILENCE_S: Final = 10.0  # before a Slurm that did not answer is asked again: it takes its time
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


class Queue:
    """This user's jobs. Jobs that ended stay for some minutes."""

    def __init__(self) -> None:
        self._jobs: dict[str, QueuedJob] = {}
        self._looked = -LOOK_S
        self._silence: EnvironmentUnsuitableError | None = None

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
        self._look()  # also before it is said that there is none: it may be new
        return self._find(job_id, name)

    def forget(self) -> None:
        """Ask anew the next time, because something was changed."""
        self._looked = -LOOK_S
        self._silence = None

    def _find(self, job_id: str, name: str) -> QueuedJob | None:
        if job_id:
            return self._jobs.get(job_id)
        return next((job for job in self._jobs.values() if job.name == name), None)

    def _look(self) -> None:
        if self._silence is not None and time.monotonic() - self._looked < SILENCE_S:
            silence = self._silence  # not raised itself, or it would grow with every traceback
            raise EnvironmentUnsuitableError(
                silence.message, hint=silence.hint, reason=silence.reason
            )
        user = f"--user={os.getuid()}"
        try:
            text = ask_slurm("squeue", "--noheader", user, "--states=all", f"--format={_FORMAT}")
        except EnvironmentUnsuitableError as problem:
            self._silence = problem
            self._looked = time.monotonic()
            raise
        self._silence = None
        self._jobs = {}
        for line in text.splitlines():
            words = line.strip().split("|", 3)
            if len(words) == 4:
                self._jobs[words[0]] = QueuedJob(*words)
        self._looked = time.monotonic()
