"""Logs as text that a terminal cannot obey, whole or as they grow."""

from pathlib import Path

from imageloom.errors import printable
from imageloom.files.log_parts import tail_start


class Tail:
    """The lines that are added to a log, as they are completed.

    Attributes:
        log: Its place; it may be moved while one looks.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._offset = 0
        self._rest = b""

    def read(self) -> list[str]:
        """Return the whole lines that were written since the last call."""
        try:
            with self.log.open("rb") as file:
                # A log that grew too big was cut back: what is written now comes after the cut.
                self._offset = min(self._offset, self.log.stat().st_size)
                file.seek(self._offset)
                chunk = file.read()
        except OSError:
            return []
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [printable_lines(line) for line in lines]


def read_log(log: Path, *, num_lines: int | None = None) -> str:
    """Return a whole log or its last lines, or nothing where there is none."""
    try:
        with log.open("rb") as file:
            if num_lines is not None:
                file.seek(tail_start(log, num_lines))
            return printable_lines(file.read())
    except OSError:
        return ""


def printable_lines(content: bytes) -> str:
    """Return what stands in a log as text that a terminal cannot obey."""
    text = content.decode("utf-8", "backslashreplace")
    return "\n".join(printable_line(line) for line in text.split("\n"))


def printable_line(line: str) -> str:
    """Return a line of a log as text that a terminal cannot obey."""
    return printable(line.expandtabs())
