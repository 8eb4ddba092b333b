"""Lines of text files that people wrote or exported, or the line at which one is no text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError

_MAX_LINE_BYTES: Final = 1024 * 1024


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their ends, without its byte order mark.

    Raises:
        InvalidDatasetError: It is not UTF-8, or a line has more than a MiB.
        CouldNotOpenFileError: It cannot be read.
    """
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > _MAX_LINE_BYTES:
                    raise bad_line(path, number, f"has more than {_MAX_LINE_BYTES:,} bytes")
                yield (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise bad_line(
            path, number, "is not UTF-8; save the file as 'CSV UTF-8' or convert it"
        ) from problem
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{path} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem


def bad_line(path: Path, number: int, what: str) -> InvalidDatasetError:
    """Return the error for one line that cannot be read."""
    return InvalidDatasetError(
        f"{path}, line {number}: {what}.",
        hint="Mend the line and convert again.",
        reason="bad-rows",
        details={"line": number},
    )
