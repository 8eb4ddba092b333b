"""Which of the processes that train together this one is. Numbers only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError


@dataclass(frozen=True)
class Ranks:
    """The place of one process among those of a run, in the words of torchrun.

    Attributes:
        rank: Number of this process in the run, from 0; 0 writes what the run leaves behind.
        world_size: Processes of the run, over all nodes.
        local_rank: Number of this process on its machine, which is that of its GPU.
        local_world_size: Processes of the run on this machine, which share its cores.
        node_rank: Number of the machine, from 0.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1
    node_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the one process that writes checkpoints, records and the model."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is nobody to agree with."""
        return self.world_size == 1


ALONE: Final = Ranks()


def ranks_from_environment(environment: Mapping[str, str]) -> Ranks:
    """Return the place that torch elastic gave this process; ``ALONE`` where it gave none.

    Raises:
        EnvironmentUnsuitableError: The numbers are not numbers or contradict each other.
    """
    if "RANK" not in environment and "WORLD_SIZE" not in environment:
        return ALONE
    ranks = Ranks(
        rank=_number(environment, "RANK", "0"),
        world_size=_number(environment, "WORLD_SIZE", "1"),
        local_rank=_number(environment, "LOCAL_RANK", "0"),
        local_world_size=_number(environment, "LOCAL_WORLD_SIZE", "1"),
        node_rank=_number(environment, "GROUP_RANK", "0"),
    )
    if ranks.rank >= ranks.world_size:
        raise EnvironmentUnsuitableError(
            f"RANK is {ranks.rank}, but WORLD_SIZE is {ranks.world_size}; ranks count from 0.",
            hint="These variables are set by what starts the processes. Unset them to train "
            "with one process.",
            reason="bad-rank",
        )
    return ranks


def _number(environment: Mapping[str, str], name: str, default: str) -> int:
    text = environment.get(name, default)
    if text.isascii() and text.isdigit():
        return int(text)
    raise EnvironmentUnsuitableError(
        f"{name} is {text!r}, but must be a whole number from 0.",
        hint="It is set by what starts the processes. Unset it to train with one process.",
        reason="bad-rank",
    )
