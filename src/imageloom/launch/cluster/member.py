"""Another machine of a run, as its leader sees it."""

import dataclasses
import time
from collections.abc import Mapping

from imageloom.launch.cluster.connection import Connection, Message
from imageloom.launch.cluster.team import end_from_message
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.watch import Share


def name_ranks(share: Share) -> str:
    """Return ``rank 1 of 2`` or ``ranks 2 to 3 of 4``."""
    first, last = share.ranks[0], share.ranks[-1]
    ranks = f"rank {first:,}" if first == last else f"ranks {first:,} to {last:,}"
    return f"{ranks} of {share.world_size:,}"


class Member:
    """A machine that joined.

    Attributes:
        name: Its name and address, for people.
        lost: Why it can no longer be reached; empty while it can.
        leaving: Why it will not take part again; empty while it will.
        ends: How its ranks of this start ended, as far as it told.
    """

    def __init__(self, connection: Connection, host: str) -> None:
        self.connection = connection
        self.name = f"{host} ({connection.address})"
        self.lost = ""
        self.leaving = ""
        self.ends: list[RankEnd] = []
        self._share: Share | None = None
        self._number = 0
        self._is_over = True

    @property
    def title(self) -> str:
        """Its name, and which ranks it has while they run."""
        if self._share is None or self._is_over:
            return self.name
        return f"{self.name}, with {name_ranks(self._share)},"

    @property
    def is_here(self) -> bool:
        """Whether it can take part in the next start."""
        return not self.lost and not self.leaving

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be heard of its ranks of this start."""
        return self._is_over or bool(self.lost)

    def start(self, number: int, share: Share, place: Mapping[str, str]) -> None:
        """Let it start its share of the ranks.

        Args:
            number: Of this start; what it says of an earlier one is not heard.
            share: Which ranks.
            place: The variables by which they find each other.
        """
        self.ends = []
        self._share, self._number, self._is_over = share, number, False
        self.tell("start", share=dataclasses.asdict(share), place=dict(place))

    def tell(self, kind: str, **content: object) -> None:
        """Send a message about this start."""
        self.connection.send(kind, start=self._number, **content)

    def hear(self, message: Message) -> RankEnd | None:
        """Note what it says; return the end of a rank, if that is what it is.

        Raises:
            LostError: It is no message of ours.
        """
        if message.get("kind") == "leaving":
            self.leaving = str(message.get("reason"))
        elif message.get("start") == self._number and message.get("kind") == "end":
            self.ends.append(end_from_message(message))
            return self.ends[-1]
        elif message.get("start") == self._number and message.get("kind") == "over":
            self._is_over = True
        return None

    def all_ends(self) -> list[RankEnd]:
        """Return how each of its ranks of this start ended; those it never told of are lost."""
        assert self._share is not None
        known = {end.rank: end for end in self.ends}
        why = self.lost or "it did not say how its ranks ended"
        return [
            known.get(rank)
            or RankEnd(rank, time.time(), None, None, lost_with=f"{self.name} {why}")
            for rank in self._share.ranks
        ]
