"""Small pictures to put into a report: decoded and encoded again by us, never passed through."""

import base64
import errno
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from PIL import Image

from imageloom.data.decoding.decode import UnreadablePictureError, decode_picture

MOST_PIXELS: Final = 240
"""Longest side of a thumbnail: 1.5 times its place in the report, for fine screens."""

_TINY: Final = 64
_PLACE: Final = 160


@dataclass(frozen=True)
class Thumbnail:
    """A picture as a ``data:`` address.

    Attributes:
        address: What stands in ``src``.
        width: Width in CSS pixels.
        height: Height in CSS pixels.
        tiny: Whether it is shown larger than it is, pixel by pixel.
    """

    address: str
    width: int
    height: int
    tiny: bool


def make_thumbnail(root: Path, file: str) -> Thumbnail | str:
    """Return a small copy of a picture, or a few words on why there is none.

    The name comes from a table that a stranger may have made: it must lie below the root, and
    links are not followed.

    Args:
        root: Folder that the name starts from.
        file: Name in the table.
    """
    parts = PurePosixPath(file).parts
    if not parts or file.startswith("/") or ".." in parts or "\0" in file:
        return "the name does not lie below the table's folder"
    content = _read(root / file)
    if isinstance(content, str):
        return content
    try:
        picture = decode_picture(content)
    except UnreadablePictureError:
        return "the picture cannot be decoded"
    return _encode(Image.fromarray(picture.pixels_HWC))


def _read(path: Path) -> bytes | str:
    """Return what a file holds, or a few words on why nothing is read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _NONBLOCK)
    except (OSError, ValueError) as problem:
        is_link = getattr(problem, "errno", None) == errno.ELOOP
        return "the picture is a link, which a report does not follow" if is_link else _GONE
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else _GONE


_GONE: Final = "the picture is no longer there"
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)  # a pipe of that name must not stop the report


def _encode(image: Image.Image) -> Thumbnail:
    tiny = max(image.size) <= _TINY
    image.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if tiny:  # JPEG would smear the few pixels that there are
        image.save(buffer, "PNG", optimize=True)
    else:
        image.save(buffer, "JPEG", quality=82, optimize=True)
    kind = "png" if tiny else "jpeg"
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    larger = max(1, _PLACE // max(image.size)) if tiny else min(1.0, _PLACE / max(image.size))
    return Thumbnail(
        address=f"data:image/{kind};base64,{encoded}",
        width=max(1, round(image.width * larger)),
        height=max(1, round(image.height * larger)),
        tiny=tiny,
    )
