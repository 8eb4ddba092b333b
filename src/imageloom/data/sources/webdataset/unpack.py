"""Unpack shards of a WebDataset as archives are, and list their pictures with their labels."""

import dataclasses
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from imageloom.data.images.directory import Rejected
from imageloom.data.images.index import file_name
from imageloom.data.names import CLASS_NAMES, FORMAT_OF_SUFFIX
from imageloom.data.params import ConvertParams
from imageloom.data.sources.archive.unpack import unpack_archive
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.shard_parts import take_part
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import ManifestRow, listing_of_rows
from imageloom.data.sources.webdataset.shards import (
    CLS,
    JSON,
    class_names_beside,
    key_and_kind,
    part_of_shard,
    tar_shards,
)
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, ignore_events
from imageloom.files.plain_file import read_plain_file

LABEL: Final = "label"
_MOST_CLASS_NAME_BYTES: Final = 10 * 1024 * 1024
_MOST_LABEL_BYTES: Final = 1024 * 1024
_MEND: Final = "Write the shards anew with the labels as they must be."


def unpack_webdataset(
    source: Path, into: Path, params: ConvertParams, *, control: Control
) -> Listing:
    """Write the files of all shards, list the pictures, and remove what else was in the shards.

    Args:
        source: A shard, or a folder of shards; ``classnames.txt`` may lie beside them.
        into: An empty folder that nobody else writes to.
        params: ``label_column`` and ``group_column`` name keys of the JSON of each sample.
        control: Told how far it is; stops between two files.

    Raises:
        InvalidDatasetError: A shard is unsafe or damaged, or a label is not what it must be.
        FailedToWriteOutputsError: It does not fit on the disk.
        CouldNotOpenFileError: It may not be read.
    """
    shards = take_part(source, {one: part_of_shard(one) for one in tar_shards(source)}, params)
    notices: list[str] = []
    for number, shard in enumerate(shards):
        place = into / f"{number:06}" if len(shards) > 1 else into
        place.mkdir(exist_ok=True)
        unpacked = unpack_archive(shard, place, name_encoding=params.name_encoding, control=control)
        notices += unpacked.notices
    names = _class_names(class_names_beside(source))
    samples = _Samples(source, into, names, params)
    listing = listing_of_rows(
        samples.rows(),
        manifest=source,
        root=into,
        unit="sample",
        declared=names or (),
        params=params.replace(part=None),
        control=Control(ignore_events, control.cancel),
    )
    return dataclasses.replace(
        listing,
        named=source,
        rejected=(*samples.rejected, *listing.rejected),
        notices=(*notices, *samples.notices(), *listing.notices),
    )


@dataclass
class _Samples:
    source: Path
    into: Path
    names: tuple[str, ...] | None
    params: ConvertParams
    rejected: list[Rejected] = field(default_factory=list)
    has_numbers: bool = False  # whether a number was taken for the name of a class

    def __post_init__(self) -> None:
        self.problems = ProblemList(self.source)

    def rows(self) -> Iterator[ManifestRow]:
        number = 0
        for folder, _, files in sorted(os.walk(self.into)):
            samples: dict[str, dict[str, str]] = {}
            for name in sorted(files):
                key, kind = key_and_kind(name)
                samples.setdefault(key, {})[kind] = name
            for key, kinds in samples.items():
                number += 1
                yield from self._row(number, Path(folder), key, kinds)
        self.problems.raise_if_any(hint=_MEND)

    def notices(self) -> Iterator[str]:
        if self.names is not None:
            yield f"Class names were read from {CLASS_NAMES}."
        elif self.has_numbers:
            yield f"There is no {CLASS_NAMES}, so the numbers of the classes are their names."

    def _row(
        self, number: int, folder: Path, key: str, kinds: dict[str, str]
    ) -> Iterator[ManifestRow]:
        pictures = [kind for kind in kinds if kind in FORMAT_OF_SUFFIX]
        where = file_name(os.fsencode(os.path.relpath(folder / key, self.into)))
        if len(pictures) > 1:
            self.problems.add(where, f"has several pictures: {', '.join(pictures)}")
            return
        try:
            label, group = self._said(folder, kinds)
        except ValueError as problem:
            self.problems.add(where, str(problem))
            return
        for kind, name in kinds.items():
            if kind not in pictures:
                (folder / name).unlink()
        if not pictures:
            reason = f"has no picture, but {', '.join(sorted(kinds))[:100]}"
            self.rejected.append(Rejected(where, reason, _MEND, label))
            return
        path = os.path.relpath(folder / kinds[pictures[0]], self.into)
        yield ManifestRow(number, path, label, group)

    def _said(self, folder: Path, kinds: dict[str, str]) -> tuple[str | None, str | None]:
        """Return label and group of a sample.

        Raises:
            ValueError: They are not what they must be; the text says why.
        """
        content: dict[str, object] = {}
        if JSON in kinds:
            text = _text(folder / kinds[JSON])
            try:
                found = json.loads(text)
            except RecursionError as problem:
                raise ValueError("has JSON that is too deep") from problem
            except ValueError as problem:
                raise ValueError("has JSON that is not valid") from problem
            content = found if isinstance(found, dict) else {}
        group = content.get(self.params.group_column) if self.params.group_column else None
        value = content.get(self.params.label_column or LABEL)
        if CLS in kinds and self.params.label_column is None:
            value = _text(folder / kinds[CLS]).strip()
        label = None if self.params.labels == "none" else self._label(value)
        return label, None if group is None else str(group)

    def _label(self, value: object) -> str | None:
        if value is None or value in ("", "-1", -1):
            return None
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number and not isinstance(value, str):
            raise ValueError("has a label that is neither text nor a whole number")
        text = str(value)
        if self.names is None:
            self.has_numbers |= text.isdigit()
            return text
        if text in self.names and not is_number:
            return text
        if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < len(self.names):
            return self.names[int(text)]
        raise ValueError(
            f"has the label {text[:60]!r}, but {CLASS_NAMES} has {len(self.names):,} names"
        )


def _text(file: Path) -> str:
    content = read_plain_file(file, InvalidDatasetError, max_bytes=_MOST_LABEL_BYTES)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise ValueError("has a label that is not UTF-8") from problem


def _class_names(file: Path) -> tuple[str, ...] | None:
    """Return the lines of the file with class names; None where there is none."""
    if not file.is_file():
        return None
    content = read_plain_file(file, InvalidDatasetError, max_bytes=_MOST_CLASS_NAME_BYTES)
    try:
        names = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise _bad_names(file, "is not UTF-8") from problem
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise _bad_names(file, f"has no name in line {number:,}")
        if name in seen:
            raise _bad_names(file, f"names the class {name[:100]!r} twice, in line {number:,} too")
        seen.add(name)
    return tuple(names)


def _bad_names(file: Path, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"{file} {what}.",
        hint="Write one name of a class in each line, in the order of their numbers.",
        reason="bad-class-names",
    )
