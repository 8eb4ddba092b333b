"""Where in the log of a node its last error begins, so that a page can open the log there."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import ImageloomError
from imageloom.files.log_parts import read_part

_PIECE: Final = 64 * 1024  # of a line that is read at once
_LEAST_BYTES: Final = 4  # that read_part takes
_TIME: Final = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
_MARK: Final = re.compile(
    rb"(?P<begin>" + _TIME + rb" INFO Node \S+ of run \S+: )"  # as a worker says it
    rb"|(?P<error>" + _TIME + rb" (?:ERROR|CRITICAL) )"
    rb"|(?P<chain>During handling of the above exception, |The above exception was the direct )"
    rb"|(?P<trace>Traceback \(most recent call last\):|Fatal Python error:)"
)


@dataclass(frozen=True)
class LogPosition:
    """A line of a log.

    Attributes:
        offset: Where it begins in the file, in bytes, for ``read_part``.
        line: Its number, from 1.
        generation: Of the log; when the log has another one, the line is somewhere else by now.
    """

    offset: int
    line: int
    generation: str

    def to_json(self) -> dict[str, object]:
        """Return it as it stands in ``error_info.json``."""
        return asdict(self)


def with_log_position(error: ImageloomError, log: Path) -> dict[str, object]:
    """Return the content of ``error_info.json``, with the place in a log where there is one."""
    position = last_error_position(log)
    found = {} if position is None else {"log_position": position.to_json()}
    return error.to_json() | found


def last_error_position(log: Path) -> LogPosition | None:
    """Return where the last error of a node's last execution begins, or None where there is none.

    That is a line of level ERROR, a traceback (of several that follow from each other, the first)
    or a crash that Python tells. What earlier executions wrote into the same log is left aside.

    Args:
        log: The node's; it need not be there.
    """
    generation = read_part(log, 0, max_bytes=_LEAST_BYTES).generation
    found: LogPosition | None = None
    is_chained = False
    for mark, number, offset in _marks(log):
        if mark == "begin":
            found = None
        elif mark != "chain" and not is_chained:
            found = LogPosition(offset, number, generation)
        is_chained = mark == "chain"
    return found


def _marks(log: Path) -> Iterator[tuple[str | None, int, int]]:
    """Yield the lines that say something of errors: what, their numbers and places."""
    number, offset, is_start = 1, 0, True
    try:
        with log.open("rb") as file:
            while piece := file.readline(_PIECE):
                if is_start and (found := _MARK.match(piece)):
                    yield found.lastgroup, number, offset
                offset += len(piece)
                is_start = piece.endswith(b"\n")
                number += is_start
    except OSError:
        return
