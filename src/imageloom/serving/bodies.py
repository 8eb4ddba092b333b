"""The body of a request, read whole: up to a size, in its time, into room that is left."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from imageloom.errors import InvalidRequestError
from imageloom.serving.room import HeldBytes

_DISCARDED: Final = 4
"""Of what is too long, up to so many times the limit is read and thrown away: most clients look for
an answer only when they have sent all, and would see no more than a connection that breaks."""


async def read_body(request: Request, held: HeldBytes, *, most: int, timeout_s: float) -> bytes:
    """Return the body.

    Args:
        request: Its headers are there, and as much of the body as has arrived.
        held: Where room is reserved before it is read.
        most: Bytes.
        timeout_s: Until it must be there.

    Raises:
        InvalidRequestError: It is too long, encoded, cut short or too slow.
        ServerBusyError: There is no room for it now.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise InvalidRequestError(
            f"The body is encoded as {encoding[:40]!r}.",
            hint="Send it as it is.",
            reason="wrong-type",
        )
    _refuse_by_headers(request, most)
    parts, length = [], 0
    try:
        async with asyncio.timeout(timeout_s):
            async for part in request.stream():
                length += len(part)
                if length > _DISCARDED * most:
                    break
                if length <= most:
                    held.reserve(length)
                    parts.append(part)
    except TimeoutError:
        raise InvalidRequestError(
            f"The body was not there within {timeout_s:g} s; {length:,} bytes came.",
            reason="body-too-slow",
        ) from None
    except ClientDisconnect:
        raise InvalidRequestError(
            f"The connection ended behind {length:,} bytes.", reason="cut"
        ) from None
    if length > most:
        raise _too_large(most, length)
    return b"".join(parts)


def _refuse_by_headers(request: Request, most: int) -> None:
    """Refuse at once what is far too long, or waits to be asked for."""
    text = request.headers.get("content-length", "")
    if not text.isdecimal():
        return
    declared = int(text) if len(text) < 19 else 10**18
    if declared > most and ("expect" in request.headers or declared > _DISCARDED * most):
        raise _too_large(most, declared)


def _too_large(most: int, length: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"The body has {length:,} bytes or more, but at most {most:,} are taken.",
        hint="Send fewer pictures in a request, or smaller ones, or raise --most-body-mib.",
        reason="too-large",
    )
