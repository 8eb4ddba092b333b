"""Pictures that were moved: found in or below a folder that a person names, proven by SHA-256."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from imageloom.data.images.directory import ImageDirectory, read_image_directory
from imageloom.data.images.verify import changed_files, verify_pictures
from imageloom.data.sources.kind import absolute_path, find_source
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError, ParameterParsingError
from imageloom.events import Control, Notice
from imageloom.system.wording import count, some

Roots = Path | str | Sequence[Path | str]  # one folder or several
_PROBES: Final = 100


def takes_root(images: ImageDirectory | Path | str) -> bool:
    """Whether something given for pictures is an image directory whose pictures lie elsewhere.

    Those that were unpacked from an archive lie in it and move with it; any other source is where
    it is.

    Raises:
        CouldNotOpenFileError: There is nothing at that path.
        InvalidDatasetError: It is something else, or damaged.
    """
    if isinstance(images, ImageDirectory):
        return False
    source = find_source(images)
    if source.kind != "image directory":
        return False
    return not read_image_directory(source.path).root.is_relative_to(source.path)


def open_moved(
    images: ImageDirectory | Path | str, root: Roots, *, control: Control
) -> ImageDirectory:
    """Open an image directory whose pictures lie elsewhere than where it was made.

    They are looked for in ``root``, and below it under the last parts of their old path: what lay
    in ``/a/photos/train`` is found for ``/b/photos`` as well as for ``/b/photos/train``. Where
    most of a hundred pictures are, every picture must have the SHA-256 that was recorded.

    Args:
        images: Path of the image directory, which stays as it is.
        root: The folder of the pictures or one above it; of several, the one that fits.
        control: Told how many files were read, and where the pictures were found; stops
            between two files.

    Raises:
        CouldNotOpenFileError: There is no such folder, or its path is not UTF-8.
        InvalidDatasetError: The pictures are not there, or some are missing or were changed.
        ParameterParsingError: ``images`` is no image directory whose pictures lie elsewhere.
        RunInterruptedError: Somebody asked to stop.
    """
    if isinstance(images, ImageDirectory) or not takes_root(images):
        what = images.root if isinstance(images, ImageDirectory) else images
        raise ParameterParsingError(
            f"root (--root) is given, but the pictures of {what} are read where they are.",
            hint="It is for the path of an image directory whose pictures lie elsewhere and were "
            "moved. Leave it out.",
            details={"parameter": "root"},
        )
    path = absolute_path(images)
    old = read_image_directory(path)
    new = dataclasses.replace(old, root=_find(path, old, _folders(root)))
    verify_pictures(new, control=control)
    where = f"still in {old.root}" if new.root == old.root else f"{old.root} is now {new.root}"
    message = f"{count(len(new), 'picture')} of {path}: {where}, proven by SHA-256."
    control.tell(Notice("info", message))
    return new


def _folders(root: Roots) -> list[Path]:
    folders = [absolute_path(one) for one in ([root] if isinstance(root, Path | str) else root)]
    for folder in folders:
        if not folder.is_dir():
            raise CouldNotOpenFileError(
                f"There is no folder {folder}.",
                hint="Give with --root (in Python: root) the folder in which the pictures lie now.",
                reason="not-found",
            )
        if os.fsencode(folder) != str(folder).encode("utf-8", "backslashreplace"):
            raise CouldNotOpenFileError(
                f"The path {str(folder)!r} is not UTF-8, so it cannot be written down.",
                hint="Rename the folder, or reach it by another name.",
                reason="path-not-utf-8",
            )
    return folders


def _find(path: Path, images: ImageDirectory, folders: Iterable[Path]) -> Path:
    """Return the folder in which most pictures are; of equals the one that comes first."""
    parts = images.root.parts
    tails = [Path(*parts[start:]) for start in range(len(parts), 0, -1)]
    places = dict.fromkeys(folder / tail for folder in folders for tail in tails)
    found = [place for place in places if place.is_dir()]
    some_of_them = images.select(np.arange(0, len(images), max(1, len(images) // _PROBES)))
    lacking = {
        place: changed_files(dataclasses.replace(some_of_them, root=place), control=Control())
        for place in found
    }
    best = min(found, key=lambda place: len(lacking[place]))
    if lacking[best] and len(lacking[best]) == len(some_of_them):
        first = lacking[best][0]
        raise InvalidDatasetError(
            f"The pictures of {path} lay in {images.root}, and none of them is in "
            f"{some([str(place) for place in found])}: {first.file!r} {first.reason}.",
            hint="Give with --root (in Python: root) the folder that is now what that one was, or "
            "one above it. Several are given by several --root.",
            reason="root-missing",
            details={"files": [one.file for one in lacking[best]]},
        )
    return best
