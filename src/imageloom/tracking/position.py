"""What a tracker has of a training, so that it is given the rest and nothing twice."""

import uuid
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from imageloom.errors import StoreCorruptError
from imageloom.files.publish import read_json, write_json
from imageloom.tracking.tracker import TrainingState

FORMAT_VERSION: Final = 1
TRACKING_FOLDER: Final = "tracking"  # in the run directory, and in the folder of a node


class Position(BaseModel):
    """What ``tracking/NAME.json`` holds. It is there from when a tracker was asked for.

    Attributes:
        id: Of the training, for this tracker.
        place: Where the tracker kept it, without any password; another place has nothing of it.
        memory: What the tracker opens it with.
        has_parameters: Whether it has the parameters.
        last_steps: The last step that it has of each curve, by the curve's name there.
        files: Digests of the files that it has, by name.
        state: How the training stood when the tracker was last told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: Literal[1] = FORMAT_VERSION
    id: str
    place: str = ""
    memory: dict[str, JsonValue] = {}
    has_parameters: bool = False
    last_steps: dict[str, int] = {}
    files: dict[str, str] = {}
    state: TrainingState | None = None

    @classmethod
    def first(cls) -> Self:
        """Return that of a training that no tracker has heard of."""
        return cls(id=uuid.uuid4().hex)

    def at(self, place: str) -> "Position":
        """Return the position at a place: as it is, or nothing yet where it is another one."""
        if self.place in ("", place):
            return self.model_copy(update={"place": place})
        return Position(id=self.id, place=place)


def position_file(folder: Path, tracker: str) -> Path:
    """Return where the position of a tracker lies, below a training's folder."""
    return folder / TRACKING_FOLDER / f"{tracker}.json"


def remembered_trackers(folder: Path) -> tuple[str, ...]:
    """Return the trackers that were asked for, of a training in a folder."""
    return tuple(sorted(file.stem for file in (folder / TRACKING_FOLDER).glob("*.json")))


def read_position(file: Path) -> Position:
    """Return a position; a new one where there is none, which is written at once.

    Raises:
        StoreCorruptError: It is not as it was written.
        FailedToWriteOutputsError: A new one cannot be written.
    """
    if not file.is_file():
        position = Position.first()
        write_position(file, position)
        return position
    hint = "It was changed. Restore it, or delete it: the tracker then gets all of the run anew."
    content = read_json(file, StoreCorruptError, hint=hint)
    try:
        return Position.model_validate(content)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreCorruptError(
            f"{file} is not as it was written: {where}: {first['msg']}.",
            hint=hint,
            reason="damaged",
            details={"file": file.name},
        ) from problem


def write_position(file: Path, position: Position) -> None:
    """Replace a position in one step.

    Raises:
        FailedToWriteOutputsError: It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, position.model_dump(mode="json"))
