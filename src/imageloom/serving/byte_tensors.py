"""Tensors of byte strings as Open Inference v2 carries them in binary.

Each element is its length, four bytes with the lowest first, and then its bytes.

Source:
    Triton's "Binary Tensor Data Extension" of the v2 protocol.
"""

import struct
from collections.abc import Sequence
from typing import Final

from imageloom.errors import InvalidRequestError

_LENGTH: Final = struct.Struct("<I")


def pack(elements: Sequence[bytes]) -> bytes:
    """Return the elements as one string of bytes."""
    return b"".join(_LENGTH.pack(len(one)) + one for one in elements)


def unpack(content: memoryview, *, most: int) -> list[bytes]:
    """Return the elements that such a string holds.

    Args:
        content: The string.
        most: Elements; empty ones have four bytes, and there could be millions.

    Raises:
        InvalidRequestError: It ends in the midst of one, or there are more.
    """
    elements: list[bytes] = []
    place = 0
    while place < len(content):
        if len(elements) == most:
            raise InvalidRequestError(
                f"A BYTES tensor has more than {most:,} elements.", reason="too-many-pictures"
            )
        start = place + _LENGTH.size
        if start > len(content):
            raise _cut(place, len(content))
        (length,) = _LENGTH.unpack(content[place:start])
        place = start + length
        if place > len(content):
            raise _cut(place, len(content))
        elements.append(bytes(content[start:place]))
    return elements


def _cut(place: int, length: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"An element of a BYTES tensor reaches to byte {place:,}, but the tensor has {length:,}.",
        hint="Each element is its length as four bytes, the lowest first, and then its bytes.",
        reason="malformed",
    )
