"""How a server of ours listens: ports, and connections that nobody holds by sending slowly."""

import asyncio
import socket
from typing import Any, ClassVar

import h11
import uvicorn
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


def bound_socket(host: str, port: int, *, backlog: int | None = None) -> socket.socket:
    """Take a port.

    Args:
        host: Address of this machine, without brackets.
        port: The port; 0 for any that is free.
        backlog: How many may wait to be let in; by default nobody can connect yet.

    Raises:
        OSError: It cannot be taken.
    """
    # The protocol is named so that asyncio sends each answer at once (TCP_NODELAY): it asks.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        if backlog is not None:
            listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def guarded_config(app: Any, **more: Any) -> uvicorn.Config:  # noqa: ANN401 - uvicorn's own types
    """Return how uvicorn serves an app of ours: quiet, and bounded in what strangers can hold.

    Args:
        app: It.
        more: Options of uvicorn besides.
    """
    return uvicorn.Config(
        app,
        http=TimedConnection,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=64 * 1024,
        **more,
    )
