"""Whole lines of a file that others append to, from a position on that outlives the reader."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_READ_BYTES: Final = 1024 * 1024  # in one call, so that a long file delays nobody else


@dataclass(frozen=True)
class AppendedLines:
    """What was appended to a file.

    Attributes:
        lines: The lines without their ends, each with the position behind it, in bytes.
        position: Where to go on.
        generation: Tells this file from one that stood in its place before; empty without a file.
        is_cut: Whether what was read before is no longer there, because the file was cut, replaced
            or taken away. ``lines`` are then those from its beginning on.
        has_more: Whether there is more to read at once.
    """

    lines: tuple[tuple[bytes, int], ...]
    position: int
    generation: str
    is_cut: bool
    has_more: bool


def read_lines(path: Path, position: int, *, generation: str = "") -> AppendedLines:
    """Return the whole lines that stand behind a position, about 1 MiB of them at most.

    A line without its end is left for a later call. Nothing is opened while the file is as long as
    the position says. A file that was cut is known by its length, or by a position inside of a
    line.

    Args:
        path: The file, which need not be there.
        position: Where to begin, in bytes: 0, or what an earlier call returned, perhaps to another
            process.
        generation: What that call returned beside it. Without it, a file that was replaced by one
            that is as long or longer may be taken for the same.

    Raises:
        OSError: The file is there but cannot be read.
    """
    try:
        found = path.stat()
        is_same = generation in ("", _generation(found))
        if found.st_size == position and is_same:
            return AppendedLines((), position, _generation(found), is_cut=False, has_more=False)
        with path.open("rb") as file:
            return _read(file, position, generation)
    except FileNotFoundError:
        return AppendedLines((), 0, "", is_cut=position > 0 or generation != "", has_more=False)


def _read(file: BinaryIO, position: int, generation: str) -> AppendedLines:
    found = os.fstat(file.fileno())
    is_same = generation in ("", _generation(found))
    is_cut = not (is_same and _is_between_lines(file, position))
    start = 0 if is_cut else position
    content, has_more = _whole_lines(file, start)
    lines = tuple(_lines(content, start))
    end = start + len(content)
    return AppendedLines(lines, end, _generation(found), is_cut=is_cut, has_more=has_more)


def _is_between_lines(file: BinaryIO, position: int) -> bool:
    if position == 0:
        return True
    file.seek(position - 1)
    return file.read(1) == b"\n"


def _whole_lines(file: BinaryIO, start: int) -> tuple[bytes, bool]:
    """Return what stands there up to the end of the last whole line, and whether there is more."""
    file.seek(start)
    content = b""
    while chunk := file.read(_READ_BYTES):
        content += chunk
        if b"\n" in chunk:
            break
    return content[: content.rfind(b"\n") + 1], len(chunk) == _READ_BYTES


def _lines(content: bytes, start: int) -> Iterator[tuple[bytes, int]]:
    for line in content.split(b"\n")[:-1]:
        start += len(line) + 1
        yield line, start


def _generation(found: os.stat_result) -> str:
    return f"{found.st_ino:x}"
