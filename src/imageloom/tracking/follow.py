"""A tracker is told what the files of a training hold and it has not; asked again, only the rest.

Live tracking, the end of a training and catching up later are this one function, called often,
called until nothing is left, and called once.
"""

import calendar
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from imageloom.files.publish import sha256_of_file
from imageloom.tracking.position import Position, write_position
from imageloom.tracking.tracker import Point, TrackerSession
from imageloom.tracking.training_files import (
    TrainingFacts,
    TrainingFiles,
    curves,
    points_behind,
    tracked_name,
)

MAX_POINTS: Final = 1_000  # in one call; MLflow's server takes no more
_TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


class Teller:
    """Tells a tracker about a training, and writes down what it has.

    Args:
        open_session: Opens the tracker; called when there is something to tell.
        position: What it has.
        file: Where the position lies.
    """

    def __init__(
        self, open_session: Callable[[], TrackerSession], position: Position, file: Path
    ) -> None:
        self._open_session = open_session
        self._opened: TrackerSession | None = None
        self._file = file
        self.position = position

    def tell(self, files: TrainingFiles) -> None:
        """Give the tracker all that lies in the files and it does not have.

        Files for people, and how the training ended, are told once it has ended.

        Raises:
            Exception: Whatever the tracker raises; what it had by then is written down.
        """
        record = files.read()  # first: what is written before the record says so is read after
        if not self.position.has_parameters:
            self._session.parameters(record.parameters)
            self._has(has_parameters=True)
        if record.state == "running" and self.position.state != "running":
            self._session.state("running")
            self._has(state="running")
        for points in self._points(files, record):
            self._scalars(points)
        if record.state == "running":
            return
        for name, path in files.files():
            digest = _digest(path)
            if self.position.files.get(name) != digest:
                self._session.file(name, path)
                self._has(files={**self.position.files, name: digest})
        if self.position.state != record.state:
            self._session.state(record.state)
            self._has(state=record.state)

    def close(self) -> None:
        """Let go of the tracker; what it only has from now on is written down then.

        Raises:
            Exception: Whatever the tracker raises.
        """
        if self._opened is not None:
            self._opened.close()
            write_position(self._file, self.position)

    def give_up(self) -> None:
        """Let go of a tracker that failed; what it only has once it is closed counts for nothing.

        Raises:
            Exception: Whatever the tracker raises.
        """
        if self._opened is not None:
            self._opened.close()

    @property
    def _session(self) -> TrackerSession:
        """The tracker, opened."""
        if self._opened is None:
            self._opened = self._open_session()
        return self._opened

    def _points(self, files: TrainingFiles, record: TrainingFacts) -> Iterator[list[Point]]:
        """Yield values that the tracker has not, ``MAX_POINTS`` or fewer at a time."""
        found, waiting = curves(files), list[Point]()
        for curve in found:
            last = self.position.last_steps.get(tracked_name(curve))
            for points in points_behind(curve, last, every=record.print_frequency):
                waiting += points
                while len(waiting) >= MAX_POINTS:
                    yield waiting[:MAX_POINTS]
                    del waiting[:MAX_POINTS]
        known = {tracked_name(curve) for curve in found}
        last_step = max(self.position.last_steps.values(), default=0)
        last_step = max([last_step, *(point.step for point in waiting)])
        waiting += [
            point
            for point in _figures(record, last_step)
            if point.name not in known and point.name not in self.position.last_steps
        ]
        if waiting:
            yield waiting

    def _scalars(self, points: list[Point]) -> None:
        self._session.scalars(points)
        last_steps = dict(self.position.last_steps)
        for point in points:
            last_steps[point.name] = point.step
        self._has(last_steps=last_steps)

    def _has(self, **changes: object) -> None:
        changes["memory"] = dict(self._session.memory())
        self.position = self.position.model_copy(update=changes)
        if not self._session.is_safe_at_close:
            write_position(self._file, self.position)


def _figures(record: TrainingFacts, step: int) -> list[Point]:
    """Return the figures of the published model as values at the last step."""
    if record.state != "completed" or record.ended is None:
        return []
    moment = float(calendar.timegm(time.strptime(record.ended, _TIME_FORMAT)))
    return [Point(name, step, 0.0, moment, value) for name, value in record.figures.items()]


def _digest(path: Path) -> str:
    """Return the digest of a file, or of a folder with the names of its files."""
    if path.is_file():
        return sha256_of_file(path)
    digest = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{file.relative_to(path)} {sha256_of_file(file)}\n".encode())
    return digest.hexdigest()
