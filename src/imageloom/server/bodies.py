"""How much a request may carry: what is sent as JSON is read whole, so it must be bounded."""

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

MOST_BYTES: Final = 16 * 1024**2
MOST_BYTES_OF_STRANGERS: Final = 16 * 1024
"""Of those who are not signed in: a name and a password."""


def bounded(scope: Scope, receive: Receive, *, is_stranger: bool) -> Receive:
    """Return what receives a request, up to a size; more is refused while it arrives.

    Args:
        scope: The request.
        receive: Receives it.
        is_stranger: Whether nobody is signed in.
    """
    most = MOST_BYTES_OF_STRANGERS if is_stranger else MOST_BYTES
    declared = Headers(scope=scope).get("content-length", "")
    is_too_long = declared.isdecimal() and (len(declared) > 18 or int(declared) > most)
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        if is_too_long:
            raise _too_large(most)
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise _too_large(most)
        return message

    return receive_bounded


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"more than {most:,} bytes were sent")
