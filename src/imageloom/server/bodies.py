"""How much a request may carry, and how long that may take: JSON is read whole."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

MOST_BYTES: Final = 16 * 1024**2
MOST_BYTES_OF_FILES: Final = 32 * 1024**2
"""Of a picture, the largest that is sent at once; parts of uploads have a bound of their own."""

MOST_BYTES_OF_STRANGERS: Final = 16 * 1024
"""Of those who are not signed in: a name and a password."""


WHOLE_AFTER_S: Final = 150.0
"""For all of it; a part of an upload has its own time, which is shorter."""


def bounded(
    scope: Scope, receive: Receive, *, is_stranger: bool, whole_after_s: float = WHOLE_AFTER_S
) -> Receive:
    """Return what receives a request, up to a size and for a time; then it is refused.

    Args:
        scope: The request.
        receive: Receives it.
        is_stranger: Whether nobody is signed in.
        whole_after_s: In how many seconds it must have arrived.
    """
    headers = Headers(scope=scope)
    is_file = headers.get("content-type", "").lower().startswith("application/octet-stream")
    most = MOST_BYTES_OF_FILES if is_file else MOST_BYTES
    if is_stranger:
        most = MOST_BYTES_OF_STRANGERS
    declared = headers.get("content-length", "")
    is_too_long = declared.isdecimal() and (len(declared) > 18 or int(declared) > most)
    received = 0
    deadline: float | None = asyncio.get_running_loop().time() + whole_after_s

    async def receive_bounded() -> Message:
        nonlocal received, deadline
        if is_too_long:
            raise _too_large(most)
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as problem:
            raise HTTPException(408, f"it did not arrive within {whole_after_s:g} s") from problem
        received += len(message.get("body", b""))
        if received > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            deadline = None  # what is waited for now is that the client leaves
        return message

    return receive_bounded


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"more than {most:,} bytes were sent")
