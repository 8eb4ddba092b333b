"""Which files hold a dataset in Parquet: one file, or the shards in a folder.

Shards are named as by Hugging Face's datasets, ``train-00000-of-00002.parquet``, where the first
word is the part of the dataset. Files of other names belong to the part that they name, or to none.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from imageloom.data.links import FOLLOW
from imageloom.data.names import is_document_name, is_system_name
from imageloom.data.params import ConvertParams
from imageloom.data.sources.parts import role_of
from imageloom.data.sources.shard_parts import take_part
from imageloom.errors import InvalidDatasetError
from imageloom.system.wording import count

SUFFIX: Final = ".parquet"
_MAGIC: Final = b"PAR1"
_MAX_DEPTH: Final = 3
# Older versions put a fingerprint behind the numbers.
_SHARD: Final = re.compile(r"(?P<part>.+)-(?P<number>\d+)-of-(?P<total>\d+)(-[0-9a-f]+)?")


class Shard(NamedTuple):
    """One file of a dataset.

    Attributes:
        path: Absolute.
        part: The part of the dataset that its name tells, or empty.
        number: Its place among the shards of its part, or None where its name does not tell.
        total: How many shards the part has, or None.
    """

    path: Path
    part: str
    number: int | None = None
    total: int | None = None


def is_parquet(file: Path) -> bool:
    """Whether a file is Parquet by its first bytes, or by its name, so that damage is told."""
    if file.suffix.lower() == SUFFIX:
        return True
    try:
        with file.open("rb") as opened:
            return opened.read(len(_MAGIC)) == _MAGIC
    except OSError:  # whoever reads it says what is wrong
        return False


def shard_files(place: Path) -> tuple[Path, ...]:
    """Return the Parquet files that a place stands for, in the order of their names.

    Args:
        place: A file; or a folder that holds Parquet files and, hidden files and documents apart,
            nothing else, or nothing but one such folder, as ``data`` in a repository.

    Returns:
        No files for a folder of anything else.
    """
    if not place.is_dir():
        return (place,)
    for _ in range(_MAX_DEPTH):
        found = _content(place)
        if found is None or (found.files and found.folders):
            return ()
        if found.files or len(found.folders) != 1:
            return tuple(place / name for name in sorted(found.files))
        place /= found.folders[0]
    return ()


class _Content(NamedTuple):
    files: list[str]
    folders: list[str]


def _content(folder: Path) -> _Content | None:
    """Return what is in a folder; None at the first file that could be a picture."""
    found = _Content([], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if is_system_name(name):
                    continue
                if entry.is_dir():
                    found.folders.append(entry.name)
                elif entry.name.lower().endswith(SUFFIX):
                    found.files.append(entry.name)
                elif not is_document_name(name):
                    return None
    except OSError:
        return None  # the listing that follows says what is wrong
    return found


def choose_shards(place: Path, params: ConvertParams) -> tuple[Shard, ...]:
    """Return the shards to read: those of one part, all of which must be there.

    Args:
        place: As for ``shard_files``.
        params: Says which part, and whether links are followed.

    Raises:
        InvalidDatasetError: There are several parts and none was chosen, or none of the one that
            was; a shard is missing; or one is a link, and links are not followed.
    """
    shards = {file: _shard(file) for file in shard_files(place)}
    taken = take_part(place, {file: one.part for file, one in shards.items()}, params)
    chosen = tuple(shards[file] for file in taken)
    if place.is_dir():
        _refuse_missing(place, chosen)
        _refuse_links(chosen, params)
    return chosen


def _shard(path: Path) -> Shard:
    found = _SHARD.fullmatch(path.stem)
    if found is None:
        return Shard(path, path.stem if role_of(path.stem) else "")
    return Shard(path, found["part"], int(found["number"]), int(found["total"]))


def _refuse_missing(place: Path, shards: Iterable[Shard]) -> None:
    numbers: dict[tuple[str, int], set[int]] = {}
    for one in shards:
        if one.number is not None and one.total is not None:
            numbers.setdefault((one.part, one.total), set()).add(one.number)
    for (part, total), found in numbers.items():
        if len(found) < total:
            missing = next(number for number in range(total) if number not in found)
            raise InvalidDatasetError(
                f"{place} holds {len(found):,} of the {count(total, 'shard')} of {part!r}: number "
                f"{missing:,}, counted from 0, is missing.",
                hint="Download or copy the missing files; or give one shard by its own path.",
                reason="missing-shard",
                details={"part": part, "shards": total, "found": len(found)},
            )


def _refuse_links(shards: Iterable[Shard], params: ConvertParams) -> None:
    for one in shards:
        if one.path.is_symlink() and not params.follow_links:
            raise InvalidDatasetError(
                f"{one.path} is a link to {one.path.readlink()}, and links are not followed.",
                hint=f"Read what links lead to with {FOLLOW}, as in the cache of Hugging Face.",
                reason="links",
                details={"option": FOLLOW},
            )
