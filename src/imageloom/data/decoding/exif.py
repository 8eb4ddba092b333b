"""The orientation in EXIF data: the one field that changes how a picture is read."""

import struct
from typing import Final, NamedTuple

UPRIGHT: Final = 1
_ORIENTATION_TAG: Final = 0x0112
_MAX_ENTRIES: Final = 1000  # real files have fewer than 100
_KINDS: Final = {1: "B", 3: "H", 4: "I"}  # BYTE and LONG stand in files of careless writers


class Turn(NamedTuple):
    """How pixels as stored become the picture as meant, in this order.

    Attributes:
        transpose: Exchange rows and columns.
        flip_rows: Turn upside down.
        flip_columns: Mirror left and right.
    """

    transpose: bool
    flip_rows: bool
    flip_columns: bool


# Source: CIPA DC-008 (Exif 2.32), tag 274: where row 0 and column 0 of the stored pixels lie.
TURNS: Final = {
    1: Turn(False, False, False),  # top, left
    2: Turn(False, False, True),  # top, right
    3: Turn(False, True, True),  # bottom, right
    4: Turn(False, True, False),  # bottom, left
    5: Turn(True, False, False),  # left, top
    6: Turn(True, False, True),  # right, top
    7: Turn(True, True, True),  # right, bottom
    8: Turn(True, True, False),  # left, bottom
}


def orientation_of(exif: bytes) -> int:
    """Return the orientation, 1 to 8; 1 when it is absent, unknown or the data are damaged.

    Args:
        exif: EXIF data with or without the leading ``Exif`` mark.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        value = _first_value(tiff, order, _ORIENTATION_TAG)
    except struct.error:
        return UPRIGHT
    return value if value in TURNS else UPRIGHT


def _first_value(tiff: bytes, order: str, wanted: int) -> int:
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(min(entries, _MAX_ENTRIES)):
        place = start + 2 + 12 * entry
        tag, kind = struct.unpack_from(f"{order}HH", tiff, place)
        if tag == wanted and kind in _KINDS:
            (value,) = struct.unpack_from(order + _KINDS[kind], tiff, place + 8)
            return int(value)
    return UPRIGHT
