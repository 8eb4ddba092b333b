"""Connections of which each must say in time what it wants: nobody holds one by sending slowly."""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class TimedConnection(H11Protocol):
    """A connection that is closed when the head of its request does not arrive in time.

    uvicorn waits for it without an end, so that whoever opens enough of them and sends a byte now
    and then keeps everybody else out. The bound of a head's size is one of this protocol too; that
    of httptools, which uvicorn takes where it is installed, has none.
    """

    head_timeout_s: ClassVar[float] = 20.0
    """As long as Apache waits (mod_reqtimeout): a head is a few hundred bytes."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_or_not()

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        super().data_received(data)
        self._wait_or_not()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait_or_not(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._wait_no_longer()
        elif self._waiting is None:  # later bytes of the same head give it no more time
            self._waiting = self.loop.call_later(self.head_timeout_s, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
