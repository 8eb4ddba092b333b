"""What a tracker declares; each is one file of ``tracking.trackers``.

A tracker is told what lies in the files of a training. It runs in a process of its own, so it may
take its time, raise whatever its library raises, and hang: the training does not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pydantic import JsonValue

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.registry import Registry
from imageloom.system.extras import require_packages

TrainingState = Literal["running", "completed", "interrupted", "failed"]
Memory = Mapping[str, JsonValue]
Variables = Mapping[str, str]


@dataclass(frozen=True)
class Point:
    """One value of a curve.

    Attributes:
        name: Of the curve, as the tracker shows it.
        step: Optimizer steps completed.
        epoch: Epochs completed, with a fraction inside one.
        time: Seconds since 1970.
        value: In the curve's unit; NaN and infinities too.
    """

    name: str
    step: int
    epoch: float
    time: float
    value: float


@dataclass(frozen=True)
class TrackedRun:
    """What tells a training from others.

    Attributes:
        id: 32 hexadecimal digits, which no other training has; for finding it again.
        name: As people read it: RUN, or RUN/NODE for a node of a pipeline.
        group: The run of a pipeline that it is part of, or empty.
        folder: Where a tracker that writes files may make a folder.
    """

    id: str
    name: str
    group: str
    folder: Path


class TrackerSession(Protocol):
    """A tracker that was opened for one training; of one thread.

    Each call returns once the tracker has what it was given, so that nobody gives it again.
    """

    is_safe_at_close: bool
    """Whether the tracker only has what it was given once ``close`` has returned."""

    def parameters(self, values: Mapping[str, JsonValue]) -> None:
        """Take the parameters; called once for a training."""

    def scalars(self, points: Sequence[Point]) -> None:
        """Take values of curves; the steps of a curve rise from call to call."""

    def file(self, name: str, path: Path) -> None:
        """Take a file or a whole folder; one of the same name is replaced."""

    def state(self, state: TrainingState) -> None:
        """Take how the training stands now."""

    def memory(self) -> Memory:
        """Return what to open it with the next time."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class Tracker:
    """A program that shows trainings.

    Attributes:
        name: What a user types: ``mlflow``.
        title: What a person reads: ``MLflow``.
        packages: What it needs.
        extra: Of our package, which installs them.
        place: Returns where it keeps a training, as its variables say, without any password.
        lacking: Returns what it needs to be told and was not, as a sentence and what to do; None
            when there is all it needs. It opens no connection.
        open: Opens it for a training that it may know already, from what it remembered.
        environment: Variables of its process, where a person has not set them.
        quiet: Variables of its process whatever a person has set: nothing is sent to its makers.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    extra: str
    place: Callable[[TrackedRun, Variables], str]
    lacking: Callable[[Variables], tuple[str, str] | None]
    open: Callable[[TrackedRun, Memory, Variables], TrackerSession]
    environment: Variables = field(default_factory=dict)
    quiet: Variables = field(default_factory=dict)


TRACKERS: Registry[Tracker] = Registry("tracker")


def require_ready(tracker: Tracker, environment: Variables) -> None:
    """Refuse a tracker that cannot work here, before anything is trained.

    Whether its server answers is not looked at: a training does not depend on that.

    Raises:
        EnvironmentUnsuitableError: A package is not there; the message names the extra that has it.
            Or a variable is not set that it needs.
    """
    require_packages(f"Tracking with {tracker.title}", tracker.packages, tracker.extra)
    if lacking := tracker.lacking(environment):
        message, hint = lacking
        raise EnvironmentUnsuitableError(
            message, hint=hint, reason="tracker-not-set", details={"tracker": tracker.name}
        )
