"""What curves there are in a folder: ``names.json``, whole or absent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from imageloom.errors import ImageloomError
from imageloom.files.publish import read_json, write_json

Kind = Literal["step", "epoch"]
SERIES_FOLDER: Final = "series"  # of a training, and of the node that trained
NAMES_FILE: Final = "names.json"
FORMAT_VERSION: Final = 1
_FILE: Final = re.compile(r"[a-z0-9][a-z0-9-]*\.rows")


@dataclass(frozen=True)
class SeriesName:
    """What tells a curve from the others of a process.

    Attributes:
        name: As users know it (docs/reference/metrics.md).
        unit: Of its values, such as ``s`` or ``bytes``; empty for fractions and plain numbers.
        kind: Whether a value is that of a step or that of a whole epoch.
    """

    name: str
    unit: str = field(compare=False)
    kind: Kind

    @property
    def file(self) -> str:
        """Name of the file of its rows."""
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return f"{self.kind}-{words}.rows"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    unit: str
    kind: Kind
    rank: int = Field(ge=0)
    file: str

    @field_validator("file")
    @classmethod
    def _is_beside(cls, file: str) -> str:
        if not _FILE.fullmatch(file):
            raise ValueError("no name of a file of rows")
        return file


class NamesRecord(BaseModel):
    """What ``names.json`` holds.

    Attributes:
        generation: Changes before and after rows are taken away: who remembers how many rows it
            has read begins anew when the number is another one.
        series: The curves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: Literal[1] = FORMAT_VERSION
    generation: int = Field(default=0, ge=0)
    series: tuple[_Entry, ...] = ()

    def with_names(self, names: Iterable[SeriesName], rank: int) -> "NamesRecord":
        """Return a record in which these curves stand too."""
        entries = {one.file: one for one in self.series}
        for one in names:
            entries[one.file] = _Entry(**vars(one), rank=rank, file=one.file)
        return self.model_copy(update={"series": tuple(entries.values())})

    def in_next_generation(self) -> "NamesRecord":
        """Return a record by which readers know that rows were or will be taken away."""
        return self.model_copy(update={"generation": self.generation + 1})


def folder_of_rank(folder: Path, rank: int) -> Path:
    """Return where the curves of one process lie, below the folder of all."""
    return folder / f"rank-{rank}"


def ranks_in(folder: Path) -> list[int]:
    """Return the processes that have curves, in order."""
    found = [re.fullmatch(r"rank-(0|[1-9]\d{0,8})", path.parent.name) for path in _files(folder)]
    return sorted(int(one[1]) for one in found if one)


def read_names(folder: Path, error: type[ImageloomError]) -> NamesRecord:
    """Return what curves one process has; none where it has written nothing yet.

    Args:
        folder: That process's.
        error: The class to raise.

    Raises:
        ImageloomError: Of class ``error``: ``names.json`` is not as it was written.
    """
    file = folder / NAMES_FILE
    if not file.exists():
        return NamesRecord()
    hint = "It was changed. Restore it, or take its folder away: the curves in it are lost then."
    content = read_json(file, error, hint=hint)
    try:
        return NamesRecord.model_validate({**content, "series": _tuple(content.get("series"))})
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise error(
            f"{file} is not as it was written: {'.'.join(map(str, first['loc']))}: {first['msg']}.",
            hint=hint,
            reason="damaged",
            details={"file": NAMES_FILE},
        ) from problem


def write_names(folder: Path, record: NamesRecord) -> None:
    """Replace ``names.json`` in one step.

    Raises:
        FailedToWriteOutputsError: It cannot be written.
    """
    write_json(folder / NAMES_FILE, record.model_dump(mode="json"))


def _files(folder: Path) -> Sequence[Path]:
    return list(folder.glob(f"rank-*/{NAMES_FILE}"))


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
