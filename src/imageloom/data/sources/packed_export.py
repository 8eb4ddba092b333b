"""Exports of labelling programs that come as an archive: the file of the labels in it.

CVAT packs ``annotations.xml`` with the folder ``images``, or ``annotations/instances_train.json``
with ``images/train``; Label Studio ``result.json`` with ``images``, or people its file
``project-1-at-2026-11-23-10-15-0a1b2c3d.json``. An archive with none of these, or with several, is
one of class folders, in which documents do not count.
"""

import os
import re
import shlex
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from imageloom.data.names import is_document_name, is_system_name
from imageloom.data.params import ConvertParams
from imageloom.data.sources.json_manifest import read_json_manifest
from imageloom.data.sources.kind import Source, find_source
from imageloom.data.sources.named_files import folder_of_names
from imageloom.errors import ImageloomError, InvalidDatasetError
from imageloom.files.found_files import found_files

_XML: Final = "annotations.xml"
_JSON: Final = re.compile(r"result\.json|project-\d+-at-[\w-]+\.json")
_COCO_FOLDER: Final = "annotations"
_COCO: Final = re.compile(r"instances_(.+)\.json")
_COCO_KEYS: Final = {"images", "annotations", "categories"}
_FOLDERS: Final = ({"images"}, {"images", _COCO_FOLDER})
_START_BYTES: Final = 4096


class PackedExport(NamedTuple):
    """An export in an archive that was unpacked.

    Attributes:
        labels: The file of the labels.
        top: The folder that holds the whole export.
    """

    labels: Source
    top: Path


def find_export(unpacked: Path) -> PackedExport | None:
    """Return the export in an archive, or None where it is none.

    Args:
        unpacked: The folder that the archive was unpacked into.
    """
    top, files = unpacked, _entries(unpacked)
    if len(files) == 1 and files[0].is_dir() and files[0].name != _COCO_FOLDER:
        top, files = files[0], _entries(files[0])
    if (top / _COCO_FOLDER).is_dir():
        files += _entries(top / _COCO_FOLDER)
    found = [one for one in files if _is_export(one)]
    return PackedExport(find_source(found[0]), top) if len(found) == 1 else None


def params_of_export(export: PackedExport, archive: Path, params: ConvertParams) -> ConvertParams:
    """Return how an export is read: with the folder in the archive that its names start from.

    Args:
        export: What ``find_export`` returned.
        archive: For messages.
        params: As they were given.

    Raises:
        InvalidDatasetError: There are no pictures in it, or ``folder`` leads out of it.
    """
    labels = export.labels.path
    if all(_is_other(path) for path, _ in found_files(export.top)):
        raise InvalidDatasetError(
            f"{archive} holds no pictures, only {labels.name}.",
            hint=f"Export with pictures; or unpack it, and convert {labels.name} itself, with "
            "--folder and the folder of the pictures.",
            reason="no-pictures",
        )
    root = _folder(export) if params.folder is None else export.top / params.folder
    asked = PurePosixPath(params.folder or "")
    if asked.is_absolute() or ".." in asked.parts:
        raise InvalidDatasetError(
            f"folder is {params.folder!r}, but must lead down from {archive}.",
            hint=f"Name a folder in it. For pictures elsewhere, unpack it, and convert "
            f"{labels.name} itself.",
            reason="folder-outside",
        )
    return params.replace(folder=os.path.relpath(root, labels.parent))


def refuse_unpacked_export(folder: Path) -> None:
    """Refuse the folder of an export that somebody unpacked, which has no folder for each class.

    Raises:
        InvalidDatasetError: It is one; the hint names the file that has its labels.
    """
    export = find_export(folder)
    if export is None:
        return
    if {one.name for one in _entries(export.top) if one.is_dir()} not in _FOLDERS:
        return
    labels = export.labels.path
    start = os.path.relpath(_folder(export), labels.parent)
    options = "" if start == "." else f" --folder {shlex.quote(start)}"
    raise InvalidDatasetError(
        f"{folder} is an export of a labelling program: its labels stand in {labels.name}, and as "
        "a folder per class it would have one class, 'images'.",
        hint="Convert that file: imageloom data convert "
        f"{shlex.quote(str(labels))}{options} --out pictures",
        reason="unpacked-export",
        details={"labels": str(labels)},
    )


def _folder(export: PackedExport) -> Path:
    """Return the folder in an export from which the names in it lead to pictures."""
    labels = export.labels.path
    found = folder_of_names(labels)
    if found is not None and found.is_relative_to(export.top):
        return found
    subset = _COCO.fullmatch(labels.name)
    own = export.top / "images" / (subset[1] if subset else "")
    return own if own.is_dir() else export.top


def _entries(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if not is_system_name(os.fsencode(one.name)))


def _is_export(path: Path) -> bool:
    # The name first: to ask the disk of each of a thousand class folders takes its time.
    if path.name == _XML:
        return path.is_file() and _begins_annotations(path)
    form = _COCO if path.parent.name == _COCO_FOLDER else _JSON
    return form.fullmatch(path.name) is not None and path.is_file() and _holds_labels(path)


def _begins_annotations(path: Path) -> bool:
    with path.open("rb") as file:
        return b"<annotations" in file.read(_START_BYTES)


def _holds_labels(path: Path) -> bool:
    try:
        content = read_json_manifest(path, lambda _, what: InvalidDatasetError(what))
    except ImageloomError:
        return False
    if isinstance(content, list):
        return bool(content) and isinstance(content[0], dict)
    return isinstance(content, dict) and content.keys() >= _COCO_KEYS


def _is_other(path: str) -> bool:
    name = os.fsencode(os.path.basename(path))  # noqa: PTH119 - a million files
    return is_document_name(name) or is_system_name(name)
