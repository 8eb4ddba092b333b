"""Which folder inside a source holds the class folders.

The rule, for folders and for unpacked archives alike:

1. With ``folder`` given: that sub-folder, from the source or from the folder of rule 2.
2. Else the source itself; but as long as it holds nothing except one folder, and that folder holds
   folders, go down into it. Hidden files, system files and documents do not count.
3. Two or more folders named as parts of a dataset (``parts`` beside this file) that hold folders
   are refused with a hint: they are parts to take one by one, not classes.

The folder that a person names may be a link, as may ``folder``; links inside it count as folders
only where they are followed.
"""

import os
import shlex
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from imageloom.data.links import leads_back, look_behind
from imageloom.data.names import is_document_name, is_system_name
from imageloom.data.sources.parts import role_of
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.system.wording import some

_MAX_DEPTH: Final = 50


class _Content(NamedTuple):
    folders: tuple[str, ...]
    has_files: bool


def find_root(
    source: Path, folder: str | None, *, archive: Path | None = None, follow_links: bool = False
) -> Path:
    """Return the folder whose sub-folders are the classes.

    Args:
        source: An absolute path of a folder.
        folder: Sub-folder asked for, with ``/`` between its parts, or None.
        archive: What errors name instead, when it lies unpacked at ``source`` for a moment.
        follow_links: Whether links to folders are folders.

    Raises:
        InvalidDatasetError: There are several parts to choose from, or ``folder`` leads outside.
        CouldNotOpenFileError: There is no such sub-folder.
    """
    if folder is not None:
        return _asked_for(source, folder, archive or source, follow_links)
    root = descend(source, follow_links=follow_links)
    parts = sorted(
        name
        for name in _content(root, follow_links).folders
        if role_of(name) and _content(root / name, follow_links).folders
    )
    if len(parts) > 1:
        if archive is not None:
            raise _several_parts_inside(named_as(root, source, archive), parts)
        raise _several_parts(root, parts)
    return root


def named_as(path: Path, source: Path, archive: Path | None) -> Path:
    """Return what errors call a path in ``source``, which may be where an archive lies unpacked."""
    return path if archive is None else archive / path.relative_to(source)


def _several_parts(root: Path, parts: list[str]) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{root} {_holds(parts)}",
        hint=f"Take one part at a time, such as {root / parts[0]}; 'imageloom train --data' "
        "finds those of training and validation by itself.",
        reason="several-parts",
        details={"parts": parts},
    )


def _several_parts_inside(archive: Path, parts: list[str]) -> InvalidDatasetError:
    option = f"--folder {shlex.quote(parts[0])}"  # they have no paths of their own
    return InvalidDatasetError(
        f"{archive} {_holds(parts)}",
        hint=f"Take one part at a time, with {option}.",
        reason="several-parts",
        details={"parts": parts, "option": option},
    )


def _holds(parts: list[str]) -> str:
    return f"holds parts of a dataset, not classes: {some(parts, most=5)}."


def _asked_for(source: Path, folder: str, named: Path, follow_links: bool) -> Path:
    parts = PurePosixPath(folder).parts
    if not parts or PurePosixPath(folder).is_absolute() or ".." in parts:
        raise InvalidDatasetError(
            f"folder is {folder!r}, but must lead down from {named}.",
            hint="Give the sub-folder's path from the source, as in --folder train.",
            reason="folder-outside",
        )
    top = descend(source, follow_links=follow_links)
    for start in (source, top):
        if (start / folder).is_dir():
            return start / folder
    known = [repr(name) for name in sorted(_content(top, follow_links).folders)]
    raise CouldNotOpenFileError(
        f"There is no folder {folder!r} in {named}.",
        hint=f"It holds {some(known, most=10) or 'no folders'}.",
        reason="no-such-folder",
    )


def descend(source: Path, *, follow_links: bool) -> Path:
    """Return the folder that rule 2 leads to: a source, or what is in it and nothing else."""
    root = source
    for _ in range(_MAX_DEPTH):
        folders, has_files = _content(root, follow_links)
        inner = root / folders[0] if len(folders) == 1 else root
        if has_files or inner == root or not _content(inner, follow_links).folders:
            return root
        root = inner
    return root


def _content(folder: Path, follow_links: bool) -> _Content:
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
                if entry.is_dir(follow_symlinks=follow_links) and not _leads_back(folder, entry):
                    folders.append(entry.name)
                elif not is_document_name(name):
                    return _Content((), has_files=True)
    except OSError:
        return _Content((), has_files=True)  # the listing that follows says what is wrong
    return _Content(tuple(folders), has_files=False)


def _leads_back(folder: Path, entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return False
    target = look_behind(os.fsencode(entry.path))
    return target.is_folder and leads_back(os.fsencode(folder), b"", target)
