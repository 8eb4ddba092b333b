"""A target: where jobs run, as the engine sees it. Each target is one file in ``targets/``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

from imageloom.registry import Registry
from imageloom.spec.component import Demand
from imageloom.spec.scale import Scale

TAKE_LOCK_VARIABLE: Final = "IMAGELOOM_TAKE_LOCK"
"""Set for a worker that could inherit no descriptor, so that it takes its lock itself."""
INTERFACE_VARIABLE: Final = "IMAGELOOM_INTERFACE"
"""Names the network interface by which machines reach each other; the launcher reads it."""
AGENT_VARIABLE: Final = "IMAGELOOM_AGENT_COMMAND"
"""Holds, as a JSON list, the command that starts an agent on each other machine of a job."""


@dataclass(frozen=True)
class Work:
    """What a job runs.

    Attributes:
        program: What stands after the Python interpreter and its own switches:
            ``("-m", "imageloom.worker", FOLDER)``. All its paths are absolute.
        demand: Whether it uses whole processing units.
        scale: On how many machines and processes.
        interface: Network interface by which its machines reach each other; empty for the target's.
        environment: Variables for it, beside those that the target chooses.
        slots: Descriptors that hold the slots of this machine which it takes, by file; the job must
            keep them open until it has ended, as it does with its lock.
    """

    program: tuple[str, ...]
    demand: Demand = "light"
    scale: Scale = field(default_factory=Scale)
    interface: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[Path, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What a target can give.

    Attributes:
        nodes: Most machines for one node of a pipeline.
        processing_units_per_node: Most processes on each machine.
        heavy_jobs: Heavy jobs that run side by side.
        light_jobs: Light jobs that run side by side, beside the heavy ones.
        interfaces: Network interfaces by which several machines could reach the first of them; None
            where the target sees to that.
        interface: The one of them for work that names none; empty if it must name one.
        slots: Locks of what jobs of each demand take on this machine, whichever run and target they
            are of: a light job one, a heavy one as many as it has processes. None where the target
            is not this machine.
    """

    nodes: int
    processing_units_per_node: int
    heavy_jobs: int
    light_jobs: int
    interfaces: tuple[str, ...] | None = None
    interface: str = ""
    slots: Mapping[Demand, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class JobStatus:
    """What a target knows of a job.

    Attributes:
        state: ``running``, also while it waits in a queue, ``ended``, or ``unknown`` when the
            target cannot say now; who follows the job then waits.
        reason: Why it ended, as a sentence, when the job itself could not say: ``killed by signal
            9 (SIGKILL)``; empty otherwise.
        out_of_memory: Whether the machine's memory ran out.
        note: What a person should know of a job that has not ended, as a sentence: why it waits.
    """

    state: Literal["running", "ended", "unknown"]
    reason: str = ""
    out_of_memory: bool = False
    note: str = ""


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

    def require_reachable(self) -> None:
        """Return when a job could be started now.

        Raises:
            ImageloomError: It could not; the message says why.
        """

    def start(self, folder: Path, work: Work, *, lock: int | None = None) -> None:
        """Start a job.

        Args:
            folder: The job's folder, which names it.
            work: What it is to do.
            lock: A file descriptor that holds a lock; the job must keep it open until it has ended,
                however it ends. Where it can inherit nothing, the target keeps a copy and gives the
                worker ``TAKE_LOCK_VARIABLE``, and closes the copy when ``LOCK_WANTED_FILE`` appears
                in the folder.

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
