"""How much is inside a server at once: what finds no room is refused, so that memory is bounded."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from imageloom.errors import InvalidRequestError, ServerBusyError


@dataclass
class Room:
    """Pictures and bytes that are inside, and how many there may be; for one thread.

    Attributes:
        most_pictures: Pictures being decoded, waiting or in the network.
        most_bytes: Bytes of bodies that are being read or decoded.
        pictures: How many are inside.
        bytes: How many are inside.
    """

    most_pictures: int
    most_bytes: int
    pictures: int = 0
    bytes: int = 0

    @contextlib.contextmanager
    def of_pictures(self, count: int) -> Iterator[None]:
        """Hold room for some pictures.

        Raises:
            InvalidRequestError: There are more than could ever find room.
            ServerBusyError: There is no room now.
        """
        if count > self.most_pictures:
            raise InvalidRequestError(
                f"The request holds {count:,} pictures, but at most {self.most_pictures:,} may be "
                "inside at once.",
                hint="Send fewer in a request.",
                reason="too-many-pictures",
                details={"pictures": count, "most": self.most_pictures},
            )
        if self.pictures + count > self.most_pictures:
            raise ServerBusyError(
                f"{self.pictures:,} pictures are inside, of {self.most_pictures:,} at most; there "
                f"is no room for {count:,} more.",
                hint="Try again in a moment, or raise --most-pictures.",
                reason="queue-full",
            )
        self.pictures += count
        try:
            yield
        finally:
            self.pictures -= count

    @contextlib.contextmanager
    def of_body(self) -> Iterator["HeldBytes"]:
        """Hold room for a body, which asks for more as it arrives."""
        held = HeldBytes(self)
        try:
            yield held
        finally:
            self.bytes -= held.count


@dataclass
class HeldBytes:
    """The room of one body.

    Attributes:
        room: Of which it is a part.
        count: Bytes.
    """

    room: Room
    count: int = 0

    def reserve(self, count: int) -> None:
        """Take more room, up to a number of bytes in all.

        Raises:
            ServerBusyError: Other bodies fill it.
        """
        more = max(0, count - self.count)
        if self.room.bytes + more > self.room.most_bytes:
            raise ServerBusyError(
                f"Bodies of {self.room.bytes:,} bytes are being read, of {self.room.most_bytes:,} "
                f"at most; there is no room for {more:,} more.",
                hint="Try again in a moment.",
                reason="bodies-full",
            )
        self.room.bytes += more
        self.count += more
