"""What is sent in parts: each is bounded before it is read, and few are held at a time."""

import asyncio
import threading
from typing import Final

from starlette.requests import ClientDisconnect, Request

from imageloom.errors import InvalidRequestError, StoreBusyError

MOST_AT_ONCE: Final = 8
PART_TIMEOUT_S: Final = 120.0
"""For one part; on the loopback interface one takes a hundredth of a second."""


class PartsReceiver:
    """Reads the bodies of requests that carry bytes, so that memory stays bounded.

    Args:
        most_at_once: How many may be read at the same time.
        timeout_s: Longest time for one.
        word: What such a body is called in messages.
        smaller: What to do when one is too large.
    """

    def __init__(
        self,
        *,
        most_at_once: int = MOST_AT_ONCE,
        timeout_s: float = PART_TIMEOUT_S,
        word: str = "part",
        smaller: str = "Send what follows as parts of their own.",
    ) -> None:
        self._free = threading.BoundedSemaphore(most_at_once)
        self._most_at_once = most_at_once
        self._timeout_s = timeout_s
        self._word = word
        self._smaller = smaller

    async def receive(self, request: Request, most_bytes: int) -> bytes:
        """Return the whole body of a request.

        Raises:
            InvalidRequestError: It is larger than ``most_bytes``, was cut, or takes too long.
            StoreBusyError: Enough others are being read.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > most_bytes):
            raise self._too_large(f"{declared} bytes", most_bytes)
        if not self._free.acquire(blocking=False):
            raise StoreBusyError(
                f"{self._most_at_once} {self._word}s are being taken in already.",
                hint="Send this one again in a moment.",
                reason="uploads-busy",
            )
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._read(request, most_bytes)
        except TimeoutError as problem:
            raise InvalidRequestError(
                f"The {self._word} did not arrive within {self._timeout_s:g} s.",
                hint="Send it again.",
                reason="part-too-slow",
            ) from problem
        except ClientDisconnect as problem:
            raise InvalidRequestError(
                f"The connection was cut within a {self._word}.",
                hint="Send it again.",
                reason="cut",
            ) from problem
        finally:
            self._free.release()

    async def _read(self, request: Request, most_bytes: int) -> bytes:
        content = bytearray()
        async for piece in request.stream():
            if len(content) + len(piece) > most_bytes:  # whatever its header said
                raise self._too_large(f"more than {len(content):,} bytes", most_bytes)
            content += piece
        return bytes(content)

    def _too_large(self, what: str, most_bytes: int) -> InvalidRequestError:
        return InvalidRequestError(
            f"A {self._word} with {what} was sent, but a {self._word} has at most {most_bytes:,} "
            "bytes.",
            hint=self._smaller,
            reason="part-too-large",
        )
