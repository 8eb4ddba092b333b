"""What ``run.json`` of a training holds, checked before anything uses it.

An older Imageloom may have left a key out, which is an error only where it is needed. A key that
is there must be of the kind that Imageloom writes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from imageloom.errors import CannotResumeError
from imageloom.files.publish import read_json
from imageloom.models.record import WeightsSource
from imageloom.preprocessing import Normalisation
from imageloom.system.wording import some

State = Literal["running", "completed", "interrupted", "failed"]
_Count = Annotated[int, Field(ge=0, le=2**53)]
_AtLeastOne = Annotated[int, Field(ge=1, le=2**53)]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_MOST_PROCESSES: Final = 1_000_000


class _Part(BaseModel):
    # What else is there is for people and for the report, which takes it as it comes.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Model(_Part):
    architecture: dict[str, JsonValue]
    normalisation: Normalisation
    initial_weights: WeightsSource


class _Resolved(_Part):
    image_size: Annotated[int, Field(ge=1, le=2**20)]
    steps_per_epoch: _AtLeastOne


class _Images(_Part):
    root: str
    images: _Count
    classes: list[str]


class _Data(_Part):
    training: _Images
    validation: _Images


class _Record(_Part):
    state: State = "running"
    processes: Annotated[int, Field(ge=1, le=_MOST_PROCESSES)] = 1
    seconds: _Seconds = 0.0
    epochs_done: _Count = 0
    best_epoch: _Count = 0
    asked: dict[str, JsonValue] = {}
    model: _Model | None = None
    resolved: _Resolved | None = None
    data: _Data | None = None
    versions: dict[str, str] = {}
    metrics: dict[str, float | None] = {}

    @field_validator("model", "resolved", "data")
    @classmethod
    def _hold_something(cls, value: _Part | None) -> _Part:
        if value is None:  # it may be left out, but not be null
            raise ValueError("nothing stands there")
        return value


class TrainingRecord(dict[str, object]):
    """The values of a record by key; a key that is not there is an error with a name."""

    def __init__(self, file: Path, content: Mapping[str, object]) -> None:
        super().__init__(content)
        self._file = file

    def __missing__(self, key: str) -> object:
        """Refuse to go on without a value."""
        raise _not_as_written(self._file, f"it lacks the key {key!r}")


def read_run_record(file: Path) -> TrainingRecord:
    """Return what a run's record holds.

    Raises:
        CannotResumeError: It cannot be read, or a value in it is of another kind than was written.
    """
    content = read_json(file, CannotResumeError)
    try:
        _Record.model_validate_json(json.dumps(content))
    except ValidationError as problem:
        wrong = [_wrong(detail["loc"], detail["msg"]) for detail in problem.errors()]
        raise _not_as_written(file, some(wrong)) from problem
    return TrainingRecord(file, content)


def _wrong(keys: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    where = ".".join(map(str, keys))[:200] or "a text"
    return f"{where}: {message[:1].lower()}{message[1:]}"


def _not_as_written(file: Path, what: str) -> CannotResumeError:
    return CannotResumeError(
        f"{file} is not as Imageloom wrote it: {what}.",
        hint="It was changed. Restore it, or start the run again.",
        reason="bad-record",
    )
