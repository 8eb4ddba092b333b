"""Which of the processes that train together this one is. Numbers only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.system.wording import some

_TASKS: Final = re.compile(r"(\d+)(?:\(x(\d+)\))?")  # Slurm writes 2,2,1 as 2(x2),1
_ALONE_HINT: Final = (
    "These variables are set by what starts the processes. Unset them to train with one process."
)


@dataclass(frozen=True)
class Ranks:
    """The place of one process among those of a run, in the words of torchrun.

    Attributes:
        rank: Number of this process in the run, from 0; 0 writes what the run leaves behind.
        world_size: Processes of the run, over all nodes.
        local_rank: Number of this process on its machine, which is that of its GPU.
        local_world_size: Processes of the run on this machine, which share its memory.
        node_rank: Number of the machine, from 0.
        core_sharers: Processes of the run that compute on this one's cores, itself included.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1
    node_rank: int = 0
    core_sharers: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one process that writes checkpoints, records and the model."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is nobody to agree with."""
        return self.world_size == 1


ALONE: Final = Ranks()


@dataclass(frozen=True)
class StartedRank:
    """One process of several, as far as what started it tells; what it does not tell is None.

    Attributes:
        starter: What started it, as people call it.
        rank: As in ``Ranks``.
        world_size: As in ``Ranks``.
        local_rank: As in ``Ranks``.
        local_world_size: As in ``Ranks``.
        node_rank: As in ``Ranks``.
    """

    starter: str
    rank: int
    world_size: int
    local_rank: int | None = None
    local_world_size: int | None = None
    node_rank: int | None = None


@dataclass(frozen=True)
class HostedRank:
    """Where one process of several runs, as it says itself.

    Attributes:
        machine: A text that no other machine has, and all processes on this one have.
        cores: Numbers of the cores that it may use; empty where the system does not tell.
        local_rank: Its number there, where what started it told one.
    """

    machine: str
    cores: tuple[int, ...] = ()
    local_rank: int | None = None


@dataclass(frozen=True)
class _Starter:
    """Which environment variables a program sets that starts several processes.

    Attributes:
        name: As people call it.
        marks: It started the process if one of these is set.
        rank: The variable that holds it; so with the others. Of several the first that is set.
        tasks_per_node: Holds the numbers of processes of all machines, as Slurm writes them.
    """

    name: str
    marks: tuple[str, ...]
    rank: str
    world_size: str
    local_rank: tuple[str, ...] = ()
    local_world_size: tuple[str, ...] = ()
    node_rank: tuple[str, ...] = ()
    tasks_per_node: str = ""


_TORCHRUN: Final = _Starter(
    name="torchrun",
    marks=("RANK", "WORLD_SIZE"),
    rank="RANK",
    world_size="WORLD_SIZE",
    local_rank=("LOCAL_RANK",),
    local_world_size=("LOCAL_WORLD_SIZE",),
    node_rank=("GROUP_RANK", "NODE_RANK"),
)
# Who starts others comes after those: torchrun and mpirun are started by srun, which then has set
# its variables as well. A batch script has SLURM_PROCID, but no number of tasks of a step.
_STARTERS: Final = (
    _TORCHRUN,
    _Starter(
        name="mpirun",  # Open MPI
        marks=("OMPI_COMM_WORLD_SIZE",),
        rank="OMPI_COMM_WORLD_RANK",
        world_size="OMPI_COMM_WORLD_SIZE",
        local_rank=("OMPI_COMM_WORLD_LOCAL_RANK",),
        local_world_size=("OMPI_COMM_WORLD_LOCAL_SIZE",),
    ),
    _Starter(
        name="mpiexec",  # MPICH's Hydra and Intel MPI
        marks=("MPI_LOCALRANKID",),
        rank="PMI_RANK",
        world_size="PMI_SIZE",
        local_rank=("MPI_LOCALRANKID",),
        local_world_size=("MPI_LOCALNRANKS",),
    ),
    _Starter(
        name="srun",
        marks=("SLURM_STEP_NUM_TASKS",),
        rank="SLURM_PROCID",
        world_size="SLURM_STEP_NUM_TASKS",
        local_rank=("SLURM_LOCALID",),
        node_rank=("SLURM_NODEID",),
        tasks_per_node="SLURM_STEP_TASKS_PER_NODE",
    ),
    _Starter(name="mpiexec", marks=("PMI_SIZE",), rank="PMI_RANK", world_size="PMI_SIZE"),
)


def ranks_from_environment(environment: Mapping[str, str]) -> Ranks:
    """Return the place that our launcher gave this process; ``ALONE`` where it gave none.

    Raises:
        EnvironmentUnsuitableError: The numbers are not numbers or contradict each other.
    """
    if not any(mark in environment for mark in _TORCHRUN.marks):
        return ALONE
    found = _read(_TORCHRUN, environment)
    return Ranks(
        rank=found.rank,
        world_size=found.world_size,
        local_rank=found.local_rank or 0,
        local_world_size=found.local_world_size or 1,
        node_rank=found.node_rank or 0,
        core_sharers=found.local_world_size or 1,
    )


def started_rank(environment: Mapping[str, str]) -> StartedRank | None:
    """Return the place that torchrun, srun or mpirun gave this process among several.

    Returns:
        None where nothing did, or started this process alone.

    Raises:
        EnvironmentUnsuitableError: The numbers are not numbers or contradict each other.
    """
    for starter in _STARTERS:
        if any(mark in environment for mark in starter.marks):
            found = _read(starter, environment)
            return found if found.world_size > 1 else None
    return None


def placed(started: StartedRank, hosted: Sequence[HostedRank]) -> Ranks:
    """Return the whole place of a process; what nobody told follows from where all of them run.

    Args:
        started: This process, as it was started.
        hosted: All processes, in the order of ranks.
    """
    own = hosted[started.rank]
    here = [rank for rank, one in enumerate(hosted) if one.machine == own.machine]
    machines = list(dict.fromkeys(one.machine for one in hosted))
    return Ranks(
        rank=started.rank,
        world_size=started.world_size,
        local_rank=_first(started.local_rank, here.index(started.rank)),
        local_world_size=_first(started.local_world_size, len(here)),
        node_rank=_first(started.node_rank, machines.index(own.machine)),
        core_sharers=sum(_share_cores(own, hosted[rank]) for rank in here),
    )


def _share_cores(one: HostedRank, other: HostedRank) -> bool:
    return not one.cores or not other.cores or bool({*one.cores} & {*other.cores})


def require_own_local_ranks(hosted: Sequence[HostedRank]) -> None:
    """Refuse processes on one machine that were given the same local rank: the same GPU.

    Raises:
        EnvironmentUnsuitableError: The message has the ranks and the number.
    """
    for one in hosted:
        same = [
            str(rank)
            for rank, other in enumerate(hosted)
            if (other.machine, other.local_rank) == (one.machine, one.local_rank)
        ]
        if one.local_rank is not None and len(same) > 1:
            raise EnvironmentUnsuitableError(
                f"Ranks {some(same)} of {len(hosted)} run on one machine, and all were given the "
                f"local rank {one.local_rank}; each needs its own, because it says which GPU is "
                "whose.",
                hint="Let what starts the processes number those of each machine: LOCAL_RANK of "
                "torchrun.",
                reason="bad-rank",
            )


def _first(told: int | None, found: int) -> int:
    return found if told is None else told


def _read(starter: _Starter, environment: Mapping[str, str]) -> StartedRank:
    rank, world_size = (_required(environment, name) for name in (starter.rank, starter.world_size))
    if rank >= world_size:
        raise _contradiction(
            f"{starter.rank} is {rank}, but {starter.world_size} is {world_size}; ranks count "
            "from 0."
        )
    local_rank = _number(environment, starter.local_rank)
    node_rank = _number(environment, starter.node_rank)
    local_world_size = _number(environment, starter.local_world_size)
    if starter.tasks_per_node in environment and node_rank is not None:
        local_world_size = _tasks_of_node(environment, starter, node_rank)
    size_name = starter.tasks_per_node or "".join(starter.local_world_size)
    if local_world_size is not None:
        if local_rank is not None and local_rank >= local_world_size:
            raise _contradiction(
                f"{starter.local_rank[0]} is {local_rank}, but of {size_name} "
                f"{local_world_size} are on this machine; local ranks count from 0."
            )
        if local_world_size > world_size:
            raise _contradiction(
                f"By {size_name} {local_world_size} processes are on this machine, but "
                f"{starter.world_size} is {world_size}."
            )
    return StartedRank(starter.name, rank, world_size, local_rank, local_world_size, node_rank)


def _tasks_of_node(environment: Mapping[str, str], starter: _Starter, node_rank: int) -> int:
    text = environment[starter.tasks_per_node]
    parts = [_TASKS.fullmatch(part) for part in text.split(",")]
    counts = [int(one[1]) for one in parts if one is not None for _ in range(int(one[2] or 1))]
    if None in parts or node_rank >= len(counts):
        raise _contradiction(
            f"{starter.tasks_per_node} is {text!r}, which names no number of processes for machine "
            f"{node_rank} ({starter.node_rank[0]})."
        )
    return counts[node_rank]


def _required(environment: Mapping[str, str], name: str) -> int:
    found = _number(environment, (name,))
    if found is None:
        others = [other for one in _STARTERS for other in (*one.marks, one.rank)]
        there = [f"{other} is {environment[other]!r}" for other in others if other in environment]
        raise _contradiction(f"{name} is not set, but {there[0]}.")
    return found


def _number(environment: Mapping[str, str], names: Sequence[str]) -> int | None:
    name = next((name for name in names if name in environment), None)
    if name is None:
        return None
    text = environment[name]
    if text.isascii() and text.isdigit():
        return int(text)
    raise _contradiction(f"{name} is {text!r}, but must be a whole number from 0.")


def _contradiction(message: str) -> EnvironmentUnsuitableError:
    return EnvironmentUnsuitableError(message, hint=_ALONE_HINT, reason="bad-rank")
