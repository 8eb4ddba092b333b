"""What kind of thing a path leads to: a folder, an archive, a manifest, or something else."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from imageloom.data.images.directory import RECORD
from imageloom.data.names import TABLE_SUFFIXES, XML_SUFFIX
from imageloom.data.sources.parquet.shards import is_parquet, shard_files
from imageloom.data.sources.remote.address import refuse_address_as_path
from imageloom.data.sources.webdataset.shards import class_names_beside, tar_shards
from imageloom.errors import CouldNotOpenFileError, ImageloomError, InvalidDatasetError
from imageloom.files.home import expand_home
from imageloom.files.publish import MANIFEST, read_json

Kind = Literal[
    "folder",
    "archive",
    "parquet",
    "webdataset",
    "table",
    "coco",
    "label studio",
    "cvat",
    "old",
    "image directory",
]
PACKED: Final = ("archive", "parquet", "webdataset")

_START_BYTES: Final = 1024
OLD_RECORD: Final = "_meta.yaml"
# What other published directories hold; named here because the data part knows no other part.
_OTHER_RECORDS: Final = {"model.json": "a model directory", "run.json": "a training run"}


@dataclass(frozen=True)
class Source:
    """Where pictures come from.

    Attributes:
        path: Absolute.
        kind: What it is.
    """

    path: Path
    kind: Kind

    @property
    def is_packed(self) -> bool:
        """Whether its pictures must be unpacked before they can be listed."""
        return self.kind in PACKED

    @property
    def files(self) -> tuple[Path, ...]:
        """Of a packed source, the files that its pictures and class names stand in."""
        if self.kind == "parquet":
            return shard_files(self.path)
        if self.kind == "webdataset":
            names = class_names_beside(self.path)
            return (*tar_shards(self.path), *([names] if names.is_file() else []))
        return (self.path,)


def absolute_path(path: Path | str) -> Path:
    """Return a path resolved once, as it is shown from then on.

    ``~`` and, where there is nothing of the literal name, environment variables are replaced;
    links stay as they are.
    """
    literal = expand_home(path)
    if not literal.exists() and "$" in str(literal):
        literal = expand_home(os.path.expandvars(literal))
    return Path(os.path.normpath(literal.absolute()))


def find_source(path: Path | str) -> Source:
    """Return what a path leads to.

    Raises:
        CouldNotOpenFileError: There is nothing.
        InvalidDatasetError: It is something that holds no pictures, such as a model directory.
    """
    place = absolute_path(path)
    if place.is_dir():
        return Source(place, _kind_of_folder(place))
    if place.is_file():
        return Source(place, _kind_of_file(place))
    if place.exists():
        raise InvalidDatasetError(
            f"{place} is neither a file nor a folder.",
            hint="Give a folder, an archive or a manifest.",
            reason="not-a-file",
        )
    refuse_address_as_path(Path(path))
    raise CouldNotOpenFileError(
        f"There is nothing at {place}.",
        hint="Check the path; on the command line, put a name with spaces in quotes.",
        reason="not-found",
    )


def _kind_of_folder(place: Path) -> Kind:
    if (place / RECORD).is_file():
        return "image directory"
    if (place / OLD_RECORD).is_file():
        return "old"
    for record, name in _OTHER_RECORDS.items():
        if (place / record).is_file() and _is_ours(place, record):
            raise InvalidDatasetError(
                f"{place} is {name}, not an image directory.",
                hint="Give the folder with the pictures.",
                reason="wrong-kind",
                details={"kind": name},
            )
    if shard_files(place):
        return "parquet"
    return "webdataset" if tar_shards(place) else "folder"


def _is_ours(place: Path, record: str) -> bool:
    """Whether a record is one of ours and not a file of the same name among pictures."""
    if (place / MANIFEST).is_file():
        return True
    try:
        return "kind" in read_json(place / record, InvalidDatasetError)
    except ImageloomError:
        return False


def _kind_of_file(place: Path) -> Kind:
    suffix = place.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return "table"
    if suffix == ".json":
        return "label studio" if _begins_list(place) else "coco"
    if suffix == XML_SUFFIX:
        return "cvat"
    if is_parquet(place):
        return "parquet"
    return "webdataset" if tar_shards(place) else "archive"


def _begins_list(place: Path) -> bool:
    """Whether a JSON file holds a list, as far as its start tells."""
    try:
        with place.open("rb") as file:
            return file.read(_START_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except OSError:
        return False  # whoever reads it says what is wrong
