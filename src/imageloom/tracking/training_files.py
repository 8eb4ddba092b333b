"""The files of a training, as a tracker reads them; only their documented form is known here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Self, cast

from pydantic import BaseModel, ConfigDict, JsonValue

from imageloom.errors import StoreCorruptError
from imageloom.files.publish import read_json
from imageloom.files.series.read import StoredSeries, list_series, rows_behind
from imageloom.tracking.tracker import Point, TrainingState

# Names of steps that users know without more; the others have a namesake among those of epochs.
_OWN_NAMES: Final = frozenset({"learning rate"})
_READ_ROWS: Final = 16_384
_STATES: Final[tuple[TrainingState, ...]] = ("running", "completed", "interrupted", "failed")


class TrainingFiles(BaseModel):
    """Where the files of a training lie now; any of them may not be there yet.

    Attributes:
        record: Its ``run.json``.
        series: The folder of its curves.
        report: Its report for people.
        model: The model directory that it published.
    """

    model_config = ConfigDict(frozen=True)

    record: Path
    series: Path
    report: Path
    model: Path

    @property
    def is_there(self) -> bool:
        """Whether there is a training."""
        return self.record.is_file()

    def read(self) -> "TrainingFacts":
        """Return what the record says.

        Raises:
            StoreCorruptError: It is not there, or cannot be read.
        """
        return TrainingFacts.of(read_json(self.record, StoreCorruptError))

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield what a person wants to keep of it, as far as it is there, by name."""
        for path in (self.report, self.model):
            if path.exists():
                yield ("model" if path == self.model else "report.html"), path


class TrainingFacts(BaseModel):
    """What a tracker wants to know of ``run.json``.

    Attributes:
        state: How it stands.
        ended: When it ended, in UTC; None while it runs.
        parameters: What was asked, and of what, by flat names.
        figures: Of the published model, where they are no curve of the training.
        print_frequency: Every how many steps people want to hear of them.
    """

    model_config = ConfigDict(frozen=True)

    state: TrainingState
    ended: str | None
    parameters: dict[str, JsonValue]
    figures: dict[str, float]
    print_frequency: int

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Self:
        """Return what a record says; what is missing there was written by another version."""
        state, ended = content.get("state"), content.get("ended")
        asked = _mapping(content.get("asked"))
        frequency = asked.get("print_frequency")
        return cls(
            state=next((one for one in _STATES if one == state), "running"),
            ended=ended if isinstance(ended, str) else None,
            parameters=dict(_parameters(content)),
            figures={
                name: float(value)
                for name, value in _mapping(content.get("metrics")).items()
                if isinstance(value, int | float)
            },
            print_frequency=frequency if isinstance(frequency, int) and frequency > 0 else 1,
        )


def points_behind(
    curve: StoredSeries, last_step: int | None, *, every: int
) -> Iterator[list[Point]]:
    """Yield the values of a curve behind a step, some at a time.

    Of a curve of steps only the first value of all is taken, and then one for every so many steps.
    Which these are does not depend on when they are read.

    Args:
        curve: The curve.
        last_step: That of the last value that was taken; None for none.
        every: The steps between two values.

    Raises:
        StoreCorruptError: The curve cannot be read.
    """
    name, read_step = tracked_name(curve), last_step
    while rows := rows_behind(curve.path, read_step, most=_READ_ROWS):
        points = []
        for row in rows:
            is_due = last_step is None or row.step // every > last_step // every
            if curve.kind == "epoch" or is_due:
                points.append(Point(name, row.step, row.epoch, row.time, row.value))
                last_step = row.step
        yield points
        read_step = rows[-1].step


def curves(files: TrainingFiles) -> list[StoredSeries]:
    """Return the curves of all processes; none before there are any.

    Raises:
        StoreCorruptError: Their names cannot be read.
    """
    return list_series(files.series)


def tracked_name(curve: StoredSeries) -> str:
    """Return the name of a curve in a tracker.

    Those of whole epochs have the names that users know (docs/reference/metrics.md); those of steps
    stand apart, because some have the same name, and those of other processes than the first, too.
    """
    process = f"rank {curve.rank}/" if curve.rank else ""
    is_known = curve.kind == "epoch" or curve.name in _OWN_NAMES
    return f"{process if is_known else f'step/{process}'}{curve.name}"


def _parameters(content: Mapping[str, object]) -> Iterator[tuple[str, JsonValue]]:
    yield from _flat(_mapping(content.get("asked")))
    yield "processes", cast(JsonValue, content.get("processes", 1))
    model = _mapping(content.get("model"))
    yield from _flat(_mapping(model.get("architecture")), "network.")
    yield from _flat(_mapping(model.get("initial_weights")), "initial_weights.")
    for part, images in _mapping(content.get("data")).items():
        facts = _mapping(images)
        yield f"{part}.images", facts.get("images")
        classes = facts.get("classes")
        yield f"{part}.classes", len(classes) if isinstance(classes, list) else None
    yield from _flat(_mapping(content.get("resolved")), "resolved.")
    yield from _flat(_mapping(content.get("versions")), "versions.")


def _flat(values: Mapping[str, JsonValue], before: str = "") -> Iterator[tuple[str, JsonValue]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _mapping(value: object) -> Mapping[str, JsonValue]:
    return cast(Mapping[str, JsonValue], value) if isinstance(value, dict) else {}
