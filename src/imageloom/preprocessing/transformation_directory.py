"""A transformation directory: a transform list as a published directory."""

from pathlib import Path
from typing import Final

from imageloom import __version__
from imageloom.errors import InvalidTransformationDirectoryError
from imageloom.files.publish import publishing_directory, read_json, verify_directory, write_json
from imageloom.preprocessing.operations import Transforms
from imageloom.preprocessing.transform_list import transforms_from_json, transforms_to_json

RECORD: Final = "transformation.json"
_FORMAT_VERSION: Final = 1


def save_transforms(transforms: Transforms, out: Path) -> None:
    """Publish a transform list as a directory.

    Raises:
        FailedToWriteOutputsError: ``out`` exists or cannot be written.
    """
    record = {
        "format_version": _FORMAT_VERSION,
        "kind": "transformation_directory",
        "made_by": f"imageloom {__version__}",
        "transforms": transforms_to_json(transforms),
    }
    with publishing_directory(out) as partial:
        write_json(partial / RECORD, record)


def load_transforms(path: Path) -> Transforms:
    """Read a transformation directory that may come from a stranger.

    Raises:
        InvalidTransformationDirectoryError: It is none, is damaged, was made by a newer version, or
            holds an operation that is not known.
    """
    verify_directory(path, InvalidTransformationDirectoryError)
    record = read_json(path / RECORD, InvalidTransformationDirectoryError)
    version = record.get("format_version")
    if version != _FORMAT_VERSION:
        raise InvalidTransformationDirectoryError(
            f"{path} has format version {version!r}; this Imageloom reads {_FORMAT_VERSION}.",
            hint=f"It was made by {record.get('made_by')}. Update Imageloom.",
            reason="format-version",
        )
    return transforms_from_json(record.get("transforms"), InvalidTransformationDirectoryError)
