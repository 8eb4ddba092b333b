"""Which tar files are shards of a WebDataset, told by the names in them.

Source: WebDataset, "The WebDataset Format": files with one name up to the first point after the
last slash, the key, are one sample; what stands behind it says what each is.
"""

import os
import re
from itertools import islice
from pathlib import Path
from typing import Final

from imageloom.data.names import (
    CLASS_NAMES,
    FORMAT_OF_SUFFIX,
    SHARD_SUFFIX,
    is_document_name,
    is_system_name,
)
from imageloom.data.sources.archive.limits import ArchiveLimits
from imageloom.data.sources.archive.tar import BLOCK, TarReader, is_tar_header
from imageloom.data.sources.parts import role_of
from imageloom.errors import ImageloomError

CLS: Final = "cls"
JSON: Final = "json"
_LOOKED_AT: Final = 10  # members; a sample has two or three


def part_of_shard(file: Path) -> str:
    """Return the part of the dataset that a name tells: ``train`` of ``train-000001.tar``."""
    name = re.sub(r"[-_.]?\d+$", "", file.stem)
    return name if role_of(name) else ""


def class_names_beside(place: Path) -> Path:
    """Return where the names of the classes stand, for a shard or a folder of shards."""
    return (place if place.is_dir() else place.parent) / CLASS_NAMES


def key_and_kind(path: str) -> tuple[str, str]:
    """Return the key of a file and what stands behind it, in small letters: ``a/1``, ``jpg``."""
    folder, slash, name = path.rpartition("/")
    key, _, kind = name.partition(".")
    return f"{folder}{slash}{key}", kind.lower()


def is_shard(file: Path) -> bool:
    """Whether a file is a plain tar file whose first pictures have their labels beside them.

    JSON alone makes no shard where pictures lie in folders, which are classes then.
    """
    try:
        with file.open("rb") as opened:
            if not is_tar_header(opened.read(BLOCK)):
                return False
            reader = TarReader(opened, file, ArchiveLimits(file, 0, 0), "")
            names = [member.path for member in islice(reader.members(), _LOOKED_AT)]
    except (OSError, ImageloomError):  # whoever unpacks it says what is wrong
        return False
    kinds: dict[str, set[str]] = {}
    for name in names:
        if not is_system_name(os.path.basename(name)):  # noqa: PTH119 - bytes
            key, kind = key_and_kind(name.decode("utf-8", "backslashreplace"))
            kinds.setdefault(key, set()).add(kind)
    return any(
        any(kind in FORMAT_OF_SUFFIX for kind in found)
        and (CLS in found or (JSON in found and "/" not in key))
        for key, found in kinds.items()
    )


def tar_shards(place: Path) -> tuple[Path, ...]:
    """Return the shards that a place stands for, in the order of their names.

    Args:
        place: A file, or a folder that holds tar files and, hidden files and documents apart,
            nothing else.

    Returns:
        No files for anything else.
    """
    if not place.is_dir():
        return (place,) if is_shard(place) else ()
    found = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if entry.name.lower().endswith(SHARD_SUFFIX) and entry.is_file(
                    follow_symlinks=False
                ):
                    found.append(place / entry.name)
                elif not is_system_name(name) and (entry.is_dir() or not is_document_name(name)):
                    return ()
    except OSError:
        return ()  # the listing that follows says what is wrong
    found.sort()
    return tuple(found) if found and is_shard(found[0]) else ()
