"""What a run reports: metrics to a file, lines to the driver log, events to the caller."""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.errors import CannotResumeError, printable, write_failure
from imageloom.events import Event, EventSink, Metric, Notice, Progress, ignore_events
from imageloom.files.plain_file import naming_read_failures

logger = logging.getLogger(__name__)

PROGRESS_INTERVAL_S: Final = 0.1


class RunReporter:
    """Sends each event to where it belongs.

    Args:
        path: ``events.jsonl``; rows are appended. By default none, as in processes whose figures
            another one records.
        sink: The caller's.
    """

    def __init__(self, path: Path = Path(os.devnull), sink: EventSink = ignore_events) -> None:
        self._path = path
        self._sink = sink
        self._file = path.open("ab")
        self._last_progress = 0.0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since this process began to work on the run."""
        return time.monotonic() - self._began

    def metric(self, name: str, value: float, *, epoch: float, step: int) -> None:
        """Record one value of a series."""
        row = {"name": name, "value": value, "epoch": epoch, "step": step, "time": time.time()}
        self._file.write((json.dumps(row) + "\n").encode("ascii"))
        self._file.flush()
        self._sink(Metric(name, value, epoch, step))

    def notice(self, notice: Notice) -> None:
        """Tell a person something, once."""
        logger.log(
            logging.WARNING if notice.level == "warning" else logging.INFO, "%s", notice.message
        )
        self._sink(notice)

    def progress(self, progress: Progress) -> None:
        """Show how far it is, at most ten times a second."""
        now = time.monotonic()
        if progress.done == progress.total or now - self._last_progress >= PROGRESS_INTERVAL_S:
            self._last_progress = now
            self._sink(progress)

    def forward(self, event: Event) -> None:
        """Pass on the event of a function that the run calls."""
        if isinstance(event, Notice):
            self.notice(event)
        elif isinstance(event, Progress):
            self.progress(event)

    def bytes_written(self) -> int:
        """Return the length of ``events.jsonl``."""
        return self._file.tell()

    def cut_back(self, length: int) -> None:
        """Drop rows after ``length`` bytes; what the checkpoint does not know is made again."""
        if self._path.is_file():  # the null device cannot be cut
            self._file.truncate(min(length, self._path.stat().st_size))
            self._file.seek(0, 2)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_metrics(path: Path) -> list[Metric]:
    """Return the rows of ``events.jsonl``; a row that a kill cut short is left out.

    Raises:
        CannotResumeError: The file cannot be read, or a row is JSON and no metric.
    """
    with naming_read_failures(path, CannotResumeError):
        lines = path.read_bytes().split(b"\n")
    metrics = []
    for number, line in enumerate(lines, start=1):
        with contextlib.suppress(ValueError, RecursionError):
            row = json.loads(line)
            metrics.append(_metric(row, f"{path}, line {number:,},"))
    return metrics


def _metric(row: object, where: str) -> Metric:
    values = row if isinstance(row, dict) else {}
    name, step = values.get("name"), values.get("step")
    numbers = [values.get("value"), values.get("epoch")]
    if isinstance(name, str) and isinstance(step, int):
        match numbers:
            case [int() | float() as value, int() | float() as epoch]:
                return Metric(name, value, epoch, step)
    raise CannotResumeError(
        f"{where} holds no metric.",
        hint="It was changed. Restore the file, or take the line out.",
        reason="bad-events",
    )


@contextlib.contextmanager
def driver_log(path: Path) -> Iterator[None]:
    """Send this package's log lines to a file while the body runs.

    Raises:
        FailedToWriteOutputsError: The file cannot be opened, as that of another person's run.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _QuietFile(path, encoding="utf-8", errors="backslashreplace")
    except OSError as problem:
        raise write_failure(path, problem, kept="The run is as it was.") from problem
    handler.setFormatter(_PrintableFormatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("imageloom")
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.setLevel(level)
        package.removeHandler(handler)
        with contextlib.suppress(OSError):  # the disk is full
            handler.close()


class _QuietFile(logging.FileHandler):
    """A log that loses lines on a full disk, instead of writing a traceback for each to stderr."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Let the line go: what else cannot be written is an error that ends the run."""


class _PrintableFormatter(logging.Formatter):
    """Escapes what would move a terminal's cursor or change its colours."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))
