"""Who is there, of ranks that something else started: were all asked the same, and where are they?

Values in, values out.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from imageloom.distributed.ranks import HostedRank
from imageloom.errors import ParameterParsingError
from imageloom.launch.params import LaunchParams
from imageloom.system.wording import count, some


class RollEntry(BaseModel):
    """What a rank says of itself when it comes.

    Attributes:
        asked: What it was asked to do; only what two ranks both name is compared.
        host: Its machine's name.
        machine: A text that no other machine has.
        cores: Numbers of the cores that it may use.
        local_rank: As what started it told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: dict[str, str]
    host: str
    machine: str
    cores: tuple[int, ...] = ()
    local_rank: int | None = None

    @property
    def hosted(self) -> HostedRank:
        """Where it runs."""
        return HostedRank(self.machine, self.cores, self.local_rank)


def require_same_task(roll: Sequence[RollEntry], starter: str) -> None:
    """Refuse to train together what was asked for apart.

    Raises:
        ParameterParsingError: Two ranks were asked for different things; the message has both.
    """
    first = roll[0].asked
    for rank, entry in enumerate(roll):
        for name in [name for name in first if name in entry.asked]:
            if entry.asked[name] != first[name]:
                raise ParameterParsingError(
                    f"{starter} started {len(roll)} processes that train together, but {name} is "
                    f"{entry.asked[name]} on rank {rank} and {first[name]} on rank 0.",
                    hint="Give all the same options. Trainings of their own must be started one by "
                    "one, or without the variables that number them.",
                    reason="other-task",
                    details={"parameter": name, "rank": rank},
                )


def require_launch(launch: LaunchParams, roll: Sequence[RollEntry], starter: str) -> None:
    """Refuse options of our launcher that are not what something else has started.

    Raises:
        ParameterParsingError: The message has both numbers.
    """
    machines = [entry.machine for entry in roll]
    nodes = len(set(machines))
    most_per_node = max(machines.count(machine) for machine in machines)
    here = f"{starter} started {count(len(roll), 'process', 'processes')} on "
    here += count(nodes, "machine")
    if launch.nodes > 1 and not launch.scale.min_nodes <= nodes <= launch.nodes:
        raise _contradiction("--nodes", launch.nodes, here, starter)
    if launch.processes_per_node > 1 and launch.processes_per_node != most_per_node:
        raise _contradiction("--processes-per-node", launch.processes_per_node, here, starter)
    if launch.max_restarts:
        raise _contradiction("--max-restarts", launch.max_restarts, here, starter)


def _contradiction(flag: str, value: int, here: str, starter: str) -> ParameterParsingError:
    return ParameterParsingError(
        f"{flag} is {value:,}, but {here}, and it is {starter} that starts them, not Imageloom.",
        hint=f"Leave {flag} out and tell {starter} instead, or start one process without it.",
        details={"parameter": flag.removeprefix("--").replace("-", "_"), "value": value},
    )


def machines_of(roll: Sequence[RollEntry]) -> Mapping[str, list[int]]:
    """Return the ranks on each machine, by the machine, in the order of ranks."""
    found: dict[str, list[int]] = {}
    for rank, entry in enumerate(roll):
        found.setdefault(entry.machine, []).append(rank)
    return found


def who_is_where(roll: Sequence[RollEntry]) -> str:
    """Return which ranks run on which machine, as half a sentence."""
    parts = [
        f"{some([str(rank) for rank in ranks], most=8)} on {roll[ranks[0]].host}"
        for ranks in machines_of(roll).values()
    ]
    return some(parts, most=16)


def absent(ranks: Sequence[int], world_size: int) -> str:
    """Return which ranks are not there, as the beginning of a sentence."""
    names = some([str(rank) for rank in ranks], most=8)
    return f"{'Rank' if len(ranks) == 1 else 'Ranks'} {names} of {world_size}"
