"""A target: where jobs run, as the engine sees it. Each target is one file in ``targets/``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from imageloom.registry import Registry


@dataclass(frozen=True)
class Limits:
    """What a target can give.

    Attributes:
        nodes: Most machines for one node of a pipeline.
        processing_units_per_node: Most processes on each machine.
        heavy_jobs: Heavy jobs that run side by side.
        light_jobs: Light jobs that run side by side, beside the heavy ones.
    """

    nodes: int
    processing_units_per_node: int
    heavy_jobs: int
    light_jobs: int


@dataclass(frozen=True)
class JobStatus:
    """What a target knows of a job.

    Attributes:
        state: ``running``, ``ended``, or ``unknown`` when the target cannot say.
        reason: Why it ended, as a sentence, when the job itself could not say: ``killed by signal
            9 (SIGKILL)``; empty otherwise.
        out_of_memory: Whether the machine's memory ran out.
    """

    state: Literal["running", "ended", "unknown"]
    reason: str = ""
    out_of_memory: bool = False


class Target(Protocol):
    """Starts jobs and knows what became of them.

    A job is named by its folder. All knowledge of it that must survive the caller is written into
    that folder, so that another process can ask and stop as well.
    """

    name: str
    title: str
    help: str

    @property
    def limits(self) -> Limits:
        """What it can give."""

    def start(self, folder: Path, lock: int) -> None:
        """Start the job in ``folder``.

        Args:
            folder: A folder with ``job.json``.
            lock: A file descriptor that holds a lock; the job must keep it open until it has ended,
                however it ends.

        Raises:
            ImageloomError: The job could not be started.
        """

    def status(self, folder: Path) -> JobStatus:
        """Say what became of a job, also one that another process started."""

    def end_signal(self, folder: Path) -> int | None:
        """Return a new descriptor that becomes readable when a job ends; the caller closes it.

        None where the target has none; then ``status`` is asked now and then.
        """

    def stop(self, folder: Path, *, at_once: bool) -> None:
        """Ask a job to save and stop, or end it at once with all its processes."""


TARGETS: Registry[Target] = Registry("target")
