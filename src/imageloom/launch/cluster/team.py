"""What the machines of a run must agree on, and what they say to each other."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.launch.cluster.connection import LostError, Message
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.local.blame import RankEnd
from imageloom.spec.scale import Scale

_END: Final = TypeAdapter(RankEnd)


class Team(BaseModel):
    """How many machines train together, and for how long they wait for each other.

    Attributes:
        scale: On how many machines and processes the run trains.
        wait_s: How long to wait for machines until there are enough.
        settle_s: How long to wait for more of them once there are enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: Scale
    wait_s: float = 600.0
    settle_s: float = 10.0


class Preflight(Protocol):
    """What a machine must have to take part."""

    def lead(self) -> None:
        """Prepare to hear what others have; called by the machine that leads, before ``facts``."""

    def facts(self) -> dict[str, JsonValue]:
        """Return what this machine has.

        Raises:
            ImageloomError: It cannot take part, whatever the others have.
        """

    def compare(
        self, own: Mapping[str, object], other: Mapping[str, object], *, processes: int
    ) -> list[str]:
        """Return what is worth a warning when another machine joins, so many processes on each.

        Raises:
            ImageloomError: The two must not train together; the message names what differs.
        """


Store = Callable[[str], AbstractContextManager[Mapping[str, str]]]


class SharedRun(Protocol):
    """What the machines of a run can see of its state."""

    @property
    def is_completed(self) -> bool:
        """Whether there is nothing left to do."""

    @property
    def is_written(self) -> bool:
        """Whether a process writes it, such as rank 0 of a leader that was killed."""


@dataclass(frozen=True)
class Hall:
    """Where the machines of a run meet.

    Attributes:
        run: Its state.
        place: The files by which they find the leader.
        store: Keeps, at an address, the store in which ranks find each other, and gives the
            variables that say where; a new one for each start.
        preflight: What a machine must have.
        address: Of this machine, on the network that leads to the others; empty while it does not
            know, and then it does not lead.
        agents: A command that starts the other machines' agents when the run directory is added to
            it; empty when people do.
    """

    run: SharedRun
    place: MeetingPlace
    store: Store
    preflight: Preflight
    address: str = ""
    agents: Sequence[str] = ()


def end_to_message(end: RankEnd) -> dict[str, object]:
    """Return the end of a rank as JSON values."""
    return {"end": _END.dump_python(end, mode="json"), "now": time.time()}


def end_from_message(message: Message) -> RankEnd:
    """Return the end of a rank, with its times by this machine's clock.

    Raises:
        LostError: The message does not hold one.
    """
    try:
        end = _END.validate_python(message["end"])
        ahead = time.time() - float(str(message["now"]))
    except (ValidationError, KeyError, ValueError) as problem:
        raise LostError("sent something that is no message of ours") from problem
    answer = end.answer
    if answer is not None:
        answer = answer.model_copy(update={"time": answer.time + ahead})
    return replace(end, time=end.time + ahead, answer=answer)


def text_of(message: Message, name: str) -> str:
    """Return a text that a message holds; empty when it holds none."""
    value = message.get(name)
    return value if isinstance(value, str) else ""


def number_of(message: Message, name: str) -> int:
    """Return a whole number that a message holds.

    Raises:
        LostError: It holds none.
    """
    value = message.get(name)
    if not isinstance(value, int):
        raise LostError("sent something that is no message of ours")
    return value


def team_of(message: Message) -> Team:
    """Return the team that a message holds.

    Raises:
        EnvironmentUnsuitableError: It holds none that we understand.
    """
    try:
        return Team.model_validate(message.get("team"))
    except ValidationError as problem:
        raise EnvironmentUnsuitableError(
            "The machine that leads the run has another version of Imageloom.",
            hint="Install the same version on all machines.",
            reason="preflight",
        ) from problem


def mapping_of(message: Message, name: str) -> dict[str, object]:
    """Return an object that a message holds; empty when it holds none."""
    value = message.get(name)
    return value if isinstance(value, dict) else {}
