"""What ``run.json`` of a training holds: written from and read into one typed record.

An older Imageloom may have left a key out, which is an error only where it is needed. A key that
is there must be of the kind that Imageloom writes; what is there beside them is kept.
"""

import json
import typing
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationError,
    field_validator,
)

from imageloom.errors import CannotResumeError
from imageloom.files.publish import read_json
from imageloom.models.architecture import Architecture, architecture_from_json
from imageloom.models.record import WeightsSource
from imageloom.preprocessing import Normalisation
from imageloom.system.wording import some
from imageloom.training.params import TrainParams

FORMAT_VERSION: Final = 1
State = Literal["running", "completed", "interrupted", "failed"]
_Count = Annotated[int, Field(ge=0, le=2**53)]


class _Lacking:
    """Stands where a key is not there: whoever asks for its attribute gets an error."""


_LACKING: Final[Any] = _Lacking


class _Part(BaseModel):
    # What else is there is for people and for the report, which takes it as it comes.
    model_config = ConfigDict(frozen=True, strict=True, extra="allow")


class ModelPart(_Part):
    """What learns."""

    architecture: dict[str, JsonValue]
    normalisation: Normalisation
    initial_weights: WeightsSource


class ResolvedPart(_Part):
    """What follows from all that was asked; the device and the like are added when it begins."""

    image_size: Annotated[int, Field(ge=1, le=2**20)]
    steps_per_epoch: Annotated[int, Field(ge=1, le=2**53)]
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class ImagesPart(_Part):
    """Training or validation pictures."""

    root: str
    images: _Count
    classes: list[str]


class DataPart(_Part):
    """The pictures."""

    training: ImagesPart
    validation: ImagesPart


class TrainingRecord(_Part):
    """What was asked, what was resolved, and how it ended.

    Attributes:
        ended: When, in UTC; None while it is running.
        seconds: That all its processes so far have worked on it.
        asked: The parameters, as ``params`` has them.
        processes: How many the run was started with; runs of version 0.1.0 do not say.
        process: What ``training/run/lost.py`` compares.
        speed_limit: What limited the newest epoch that was judged, as ``training/verdict.py`` says.
    """

    format_version: JsonValue = FORMAT_VERSION
    kind: JsonValue = "run"
    state: State = _LACKING
    started: JsonValue = None
    ended: JsonValue = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = _LACKING
    epochs_done: _Count = _LACKING
    best_epoch: _Count = _LACKING
    asked: dict[str, JsonValue] = _LACKING
    processes: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    model: ModelPart = _LACKING
    resolved: ResolvedPart = _LACKING
    data: DataPart = _LACKING
    notices: JsonValue = None
    versions: dict[str, str] = _LACKING
    metrics: dict[str, float | None] = _LACKING
    process: JsonValue = None
    batch_norm_initial_fraction: JsonValue = None
    images_per_s_of_ranks: JsonValue = None
    speed_limit: JsonValue = None
    _file: Path = PrivateAttr(Path("run.json"))

    if not typing.TYPE_CHECKING:  # type checkers know the fields only without it

        def __getattribute__(self, name: str) -> object:
            value = super().__getattribute__(name)
            if value is _LACKING:
                raise _not_as_written(self._file, f"it lacks the key {name!r}")
            return value

    @field_validator("model", "resolved", "data", mode="before")
    @classmethod
    def _hold_something(cls, value: object) -> object:
        if value is None:  # it may be left out, but not be null
            raise ValueError("nothing stands there")
        return value

    @property
    def params(self) -> TrainParams:
        """How it is trained, with the batch size that was found where it was to be found."""
        params = TrainParams.parse(self.asked)
        if not self.finds_batch_size:
            return params
        if self.resolved.batch_size is None:
            raise _not_as_written(self._file, "it lacks the batch size that was found")
        return params.replace(batch_size=self.resolved.batch_size)

    @property
    def finds_batch_size(self) -> bool:
        """Whether the batch size is one that fits into memory, not one that was asked for."""
        return TrainParams.parse(self.asked).batch_size == "auto"

    @property
    def architecture(self) -> Architecture:
        """The network."""
        return architecture_from_json(self.model.architecture, CannotResumeError)

    def replace(self, **changes: object) -> Self:
        """Return a copy with some values changed, checked again."""
        return self.model_validate(self.to_json() | changes)

    def to_json(self) -> dict[str, object]:
        """Return the content of ``run.json``."""
        return self.model_dump(mode="json", include=self.model_fields_set)


def read_run_record(file: Path) -> TrainingRecord:
    """Return what a run's record holds.

    Raises:
        CannotResumeError: It cannot be read, or a value in it is of another kind than was written.
    """
    content = read_json(file, CannotResumeError)
    try:
        record = TrainingRecord.model_validate_json(json.dumps(content))
    except ValidationError as problem:
        wrong = [_wrong(detail["loc"], detail["msg"]) for detail in problem.errors()]
        raise _not_as_written(file, some(wrong)) from problem
    record._file = file
    return record


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
