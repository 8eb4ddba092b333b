"""Which folder inside a source holds the class folders.

The rule, for folders and for unpacked archives alike:

1. With ``folder`` given: that sub-folder, from the source or from the folder of rule 2.
2. Else the source itself; but as long as it holds nothing except one folder, and that folder holds
   folders, go down into it. Hidden files, system files and documents do not count.
3. Two or more folders named as parts of a dataset (``train``, ``val``, ``test``, ...) that hold
   folders are refused with a hint: they are parts to convert one by one, not classes.
"""

import os
import stat
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from imageloom.data.names import is_document_name, is_system_name
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.wording import some

PART_NAMES: Final = frozenset(
    ("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval")
)
_MAX_DEPTH: Final = 50


class _Content(NamedTuple):
    folders: tuple[str, ...]
    has_files: bool


def find_root(source: Path, folder: str | None) -> Path:
    """Return the folder whose sub-folders are the classes.

    Args:
        source: An absolute path of a folder.
        folder: Sub-folder asked for, with ``/`` between its parts, or None.

    Raises:
        InvalidDatasetError: There are several parts to choose from, or ``folder`` leads outside.
        CouldNotOpenFileError: There is no such sub-folder.
    """
    if folder is not None:
        return _asked_for(source, folder)
    root = _descend(source)
    parts = [
        name
        for name in _content(root).folders
        if name.lower() in PART_NAMES and _content(root / name).folders
    ]
    if len(parts) > 1:
        shown = ", ".join(sorted(parts))
        raise InvalidDatasetError(
            f"{root} holds parts of a dataset, not classes: {shown}.",
            hint=f"Convert one part at a time, with folder {sorted(parts)[0]!r} (--folder "
            f"{sorted(parts)[0]}) and so on.",
            reason="several-parts",
            details={"parts": sorted(parts)},
        )
    return root


def _asked_for(source: Path, folder: str) -> Path:
    parts = PurePosixPath(folder).parts
    if not parts or PurePosixPath(folder).is_absolute() or ".." in parts:
        raise InvalidDatasetError(
            f"folder is {folder!r}, but must lead down from {source}.",
            hint="Give the sub-folder's path from the source, such as 'train'.",
            reason="folder-outside",
        )
    for start in (source, _descend(source)):
        if _is_folder(start / folder):
            return start / folder
    known = some([repr(name) for name in sorted(_content(_descend(source)).folders)], most=10)
    raise CouldNotOpenFileError(
        f"There is no folder {folder!r} in {source}.",
        hint=f"It holds {known or 'no folders'}.",
        reason="no-such-folder",
    )


def _descend(source: Path) -> Path:
    root = source
    for _ in range(_MAX_DEPTH):
        folders, has_files = _content(root)
        if has_files or len(folders) != 1 or not _content(root / folders[0]).folders:
            return root
        root = root / folders[0]
    return root


def _content(folder: Path) -> _Content:
    """Return the folders in a folder, and whether it holds anything else that counts.

    Reading stops at the first such file, so that a folder of a million pictures costs nothing.
    """
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if is_system_name(name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif not is_document_name(name):
                    return _Content((), has_files=True)
    except OSError:
        return _Content((), has_files=True)  # the listing that follows says what is wrong
    return _Content(tuple(folders), has_files=False)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
