"""Events of another process as JSON lines, which are read while they are written."""

import dataclasses
import json
import os
import threading
import time
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from imageloom.errors import write_failure
from imageloom.events import Event, Metric, Notice, Progress

PROGRESS_INTERVAL_S: Final = 0.2
_READ_BYTES: Final = 1024 * 1024  # in one call, so that a flood of events delays nobody else
_NAMES: Final = {Progress: "progress", Metric: "metric", Notice: "notice"}
_READERS: Final[dict[str, TypeAdapter[Event]]] = {
    name: TypeAdapter(kind) for kind, name in _NAMES.items()
}


class EventWriter:
    """An event sink that appends to a file.

    Metrics and notices are all written; of the progress of a stage the first and the last, and in
    between one every 0.2 s. It may be called from several threads.

    Args:
        path: The file; what an earlier execution wrote stays.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        # For this user's eyes only: a notice may hold the token by which machines join a run.
        path.touch(mode=0o600)
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()
        self._stage = ""
        self._next_progress = 0.0
        if _is_torn(path):
            self._file.write(b"\n")

    def __call__(self, event: Event) -> None:
        """Append an event.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        with self._lock:
            if isinstance(event, Progress) and not self._is_due(event):
                return
            row = {"kind": _NAMES[type(event)], "time": time.time()} | dataclasses.asdict(event)
            try:
                self._file.write(json.dumps(row).encode("ascii") + b"\n")
            except OSError as problem:
                kept = "Then go on: what is finished is kept."
                raise write_failure(self._path, problem, kept=kept) from problem

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_due(self, progress: Progress) -> bool:
        now = time.monotonic()
        is_edge = progress.stage != self._stage or progress.done == progress.total
        if not is_edge and now < self._next_progress:
            return False
        self._stage, self._next_progress = progress.stage, now + PROGRESS_INTERVAL_S
        return True


class EventTail:
    """Reads a file of events while another process appends to it.

    Args:
        path: The file; it need not be there yet.
        start: Byte to begin at: 0, or the size that earlier executions left.
    """

    def __init__(self, path: Path, *, start: int = 0) -> None:
        self._path = path
        self._offset = start
        self._rest = b""

    def read(self) -> list[Event]:
        """Return the events that came since the last call; a line that has no end yet waits.

        A line that a killed worker left torn is passed over. At most 1 MiB is read at a time, so
        who wants the rest of a file calls until the list is empty.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(_READ_BYTES)
        except FileNotFoundError:
            return []
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [event for line in lines if (event := event_of(line)) is not None]


def event_of(line: bytes) -> Event | None:
    """Return the event that a line holds, or None where it holds none of ours."""
    try:
        row = json.loads(line)
        return _READERS[row["kind"]].validate_python(row)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
