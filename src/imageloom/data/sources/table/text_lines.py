"""Lines of text files that people wrote or exported, or the line at which one is no text."""

import codecs
import io
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError

_MAX_LINE_CHARS: Final = 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
# How files begin that are no UTF-8 text, what they are, and what they become text with.
_OTHERS: Final = (
    (codecs.BOM_UTF16_LE, "text in UTF-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "text in UTF-16", "UTF-16"),
    (b"PK\x03\x04", "a workbook of a spreadsheet program or an archive", ""),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old spreadsheet program", ""),
)


def text_lines(path: Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file, each ended by ``\n``, without its byte order mark.

    A line ends as on any system: in ``\n``, ``\r\n``, or a ``\r`` alone, as old Macs wrote.

    Raises:
        InvalidDatasetError: It is not UTF-8, or a line holds NUL or has more than a MiB.
        CouldNotOpenFileError: It cannot be read.
    """
    number = 0
    try:
        _refuse_others(path)
        with path.open(encoding="utf-8-sig", newline=None) as file:
            while line := file.readline(_MAX_LINE_CHARS + 1):
                number += 1
                if len(line) > _MAX_LINE_CHARS:
                    raise bad_line(path, number, f"has more than {_MAX_LINE_CHARS:,} characters")
                if "\0" in line:
                    hint = f"Is it UTF-16, or damaged? {_save_as_utf_8(path, 'UTF-16')}"
                    raise bad_line(path, number, "holds NUL, which is no text", hint=hint)
                yield line
    except UnicodeDecodeError as problem:
        raise bad_line(
            path,
            _undecodable_line(path),
            "is not UTF-8, but perhaps Latin-1 or Windows-1252",
            hint=_save_as_utf_8(path, "WINDOWS-1252"),
        ) from problem
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{path} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem


def bad_line(
    path: Path, number: int, what: str, *, hint: str = "Correct it in a text editor."
) -> InvalidDatasetError:
    """Return the error for one line that cannot be read."""
    return InvalidDatasetError(
        f"{path}, line {number:,}: {what}.",
        hint=hint,
        reason="bad-rows",
        details={"line": number},
    )


def _refuse_others(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4)
    for start, name, encoding in _OTHERS:
        if head.startswith(start):
            raise InvalidDatasetError(
                f"{path} is {name}, but must be text in UTF-8.",
                hint=_save_as_utf_8(path, encoding),
                reason="not-utf-8",
            )


def _save_as_utf_8(path: Path, encoding: str) -> str:
    hint = "In the program that it comes from, save it as 'CSV UTF-8'"
    if not encoding:
        return f"{hint}."
    utf_8 = path.with_name(f"{path.stem}-utf-8{path.suffix}").name
    command = shlex.join(("iconv", "-f", encoding, "-t", "UTF-8", path.name))
    return f"{hint}, or convert it: {command} > {shlex.quote(utf_8)}"


def _undecodable_line(path: Path) -> int:
    """Return the number of the line with the first byte that is not UTF-8."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(), translate=True)
    number = 1
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            try:
                number += decoder.decode(chunk).count("\n")
            except UnicodeDecodeError as problem:
                before = problem.object[: problem.start].replace(b"\r\n", b"\n")
                return number + before.count(b"\n") + before.count(b"\r")
    return number
