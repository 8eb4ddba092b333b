"""Write the pictures of Parquet files to disk, under names of our own, and list them.

What a file says of a picture's path decides no place: it gives only the readable end of the name.
Two passes: the first looks at columns and class names of every shard; the second writes, and counts
what really comes out.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imageloom.data.images.directory import Rejected
from imageloom.data.params import ConvertParams
from imageloom.data.sources.archive.limits import ArchiveLimits
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.parquet.columns import (
    BYTES,
    NO_LABEL,
    PATH,
    ParquetColumns,
    find_parquet_columns,
)
from imageloom.data.sources.parquet.opening import naming_damage, opened_parquet, status_of
from imageloom.data.sources.parquet.picture_names import NAME_CHARS, end_of_name
from imageloom.data.sources.parquet.shards import Shard, choose_shards
from imageloom.data.sources.table.problems import ProblemList
from imageloom.data.sources.table.rows import ManifestRow, listing_of_rows
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, Progress, ignore_events
from imageloom.system.machine import host_memory
from imageloom.system.wording import count, some

_BATCH_BYTES: Final = 32 * 1024 * 1024  # of pictures in memory at a time
_MAX_BATCH_ROWS: Final = 1000
# Arrow closes a page after so many rows, however long they are. While it is unpacked it is held
# about 3 times: 1,084 MiB of 2,000 rows of 200 kB in one row group, 460 MiB in groups of 100.
_ROWS_PER_PAGE: Final = 1024
_COPIES_OF_PAGE: Final = 3
_NO_BYTES: Final = "has no bytes in its row"
_EMBED: Final = (
    "Write the bytes into the rows: in datasets, save with to_parquet, which embeds the files."
)


class _Row(NamedTuple):
    content: bytes | None
    path: str
    label: object
    group: object


def unpack_parquet(source: Path, into: Path, params: ConvertParams, *, control: Control) -> Listing:
    """Write the pictures of a Parquet file, or of the shards in a folder, and list them.

    A picture is named by its number, from 0 over all rows, and the end of the path that the file
    has for it: ``00000012-cat.jpg``; with several shards, in a folder for each.

    Args:
        source: A Parquet file, or a folder of shards.
        into: An empty folder that nobody else writes to.
        params: Names of the columns, and the part to take.
        control: Told how far it is; stops between two pictures.

    Returns:
        The listing; a row without bytes is left out, with its reason.

    Raises:
        InvalidDatasetError: A file is damaged, is no Parquet file, was changed meanwhile or would
            unpack to too much; a column has another type; a label is out of range.
        NotExpectedLabelColumnError: No column is that of the labels.
        FailedToWriteOutputsError: It does not fit on the disk.
        CouldNotOpenFileError: It may not be read.
    """
    shards = choose_shards(source, params)
    unpacking = _Unpacking(source, into, shards, params, control)
    listing = listing_of_rows(
        unpacking.rows(),
        manifest=source,
        root=into,
        unit="row",
        declared=unpacking.columns.names or (),
        params=params.replace(part=None),  # shards have parts, rows have none
        control=Control(ignore_events, control.cancel),  # its progress is that of unpacking
    )
    return dataclasses.replace(
        listing,
        named=source,
        rejected=(*unpacking.rejected, *listing.rejected),
        notices=(*unpacking.notices(), *listing.notices),
    )


@dataclass
class _Unpacking:
    source: Path
    into: Path
    shards: tuple[Shard, ...]
    params: ConvertParams
    control: Control
    rejected: list[Rejected] = field(default_factory=list)
    has_numbers: bool = False  # whether a number was taken for the name of a class

    def __post_init__(self) -> None:
        sizes = [status_of(one.path).st_size for one in self.shards]
        self.limits = ArchiveLimits.of(self.source, sum(sizes), self.into)
        self.total = 0
        self.batch_rows: list[int] = []
        self.memory = host_memory()
        self.problems = ProblemList(self.source)
        columns: ParquetColumns | None = None
        for one in self.shards:
            with opened_parquet(one.path) as file, naming_damage(one.path):
                found = find_parquet_columns(file.schema_arrow, one.path, self.params)
                columns = columns or found
                self._refuse_other_columns(columns, found, one)
                self._plan(file, one.path)
        assert columns is not None
        self.columns = columns

    def rows(self) -> Iterator[ManifestRow]:
        """Write one picture after the other and yield its row."""
        number = 0
        for place, shard in enumerate(self.shards):
            folder = f"{place:05}/" if len(self.shards) > 1 else ""
            (self.into / folder).mkdir(exist_ok=True)
            for row in self._read(shard, self.batch_rows[place]):
                self.limits.count_member()
                if number % 500 == 0:
                    self.control.tell(Progress("Unpacking", number, self.total, "pictures"))
                    self.control.raise_if_cancelled()
                yield from self._written(number, row, folder)
                number += 1
        self.problems.raise_if_any(hint="Write the file anew with labels among its class names.")
        if number and len(self.rejected) == number:
            raise InvalidDatasetError(
                f"None of the {count(number, 'row')} of {self.source} has the bytes of a picture"
                f"{_paths_only(self.rejected)}.",
                hint=_EMBED,
                reason="no-pictures",
            )

    def notices(self) -> Iterator[str]:
        """Yield what a person should know of labels."""
        column = self.columns.label
        if column is not None and self.columns.names is None and self.has_numbers:
            yield (
                f"Nothing in {self.source.name} names the classes, so the numbers in the column "
                f"{column!r} are their names."
            )

    def _written(self, number: int, row: _Row, folder: str) -> Iterator[ManifestRow]:
        name = f"{folder}{number:08}{end_of_name(row.path, row.content or b'')}"
        label, labels = None, None
        if self.columns.has_lists:
            labels = self._list(row.label, number)
        else:
            label = self._label(row.label, number)
        if not row.content:
            path = f", only the path {row.path[:NAME_CHARS]!r}" if row.path else ""
            self.rejected.append(Rejected(name, f"{_NO_BYTES}{path}", _EMBED, label))
            return
        self.limits.count_bytes(len(row.content))
        with (self.into / name).open("xb") as file:
            file.write(row.content)
        group = None if row.group is None else str(row.group)
        yield ManifestRow(number, name, label, group, labels=labels)

    def _list(self, values: object, number: int) -> tuple[str, ...]:
        listed = values if isinstance(values, list) else []  # null lists nothing
        found = [self._label(one, number) for one in listed]
        if None in found:
            self.problems.add(f"row {number:,}", "lists something that is no label")
        return tuple(one for one in found if one is not None)

    def _label(self, value: object, number: int) -> str | None:
        """Return the class of a row; None when it has none."""
        if value is None or isinstance(value, str):
            return value
        assert isinstance(value, int)
        names = self.columns.names
        if names is None:
            self.has_numbers = True
            return str(value)
        if value == NO_LABEL:
            return None
        if 0 <= value < len(names):
            return names[value]
        what = f"has the label {value}, but there are names for 0 to {len(names) - 1}"
        self.problems.add(f"row {number:,}", what)
        return None

    def _read(self, shard: Shard, batch_rows: int) -> Iterator[_Row]:
        columns = self.columns
        before = status_of(shard.path)
        with opened_parquet(shard.path) as file:
            batches = file.iter_batches(batch_size=batch_rows, columns=columns.all)
            while True:
                with naming_damage(shard.path):
                    batch = next(batches, None)
                    rows = [] if batch is None else _rows_of(batch, columns)
                if batch is None:
                    break
                yield from rows
        after = status_of(shard.path)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise InvalidDatasetError(
                f"{shard.path} changed while it was being unpacked.",
                hint="Convert again when it is complete.",
                reason="changed-while-reading",
            )

    def _refuse_other_columns(
        self, first: ParquetColumns, found: ParquetColumns, shard: Shard
    ) -> None:
        if first == found:
            return
        what = "other columns" if first.names == found.names else "other class names"
        raise InvalidDatasetError(
            f"{shard.path} has {what} than {self.shards[0].path.name}.",
            hint="Shards of one dataset have the same. Keep each dataset in a folder of its own.",
            reason="shards-differ",
            details={"files": [self.shards[0].path.name, shard.path.name]},
        )

    def _plan(self, file: pq.ParquetFile, path: Path) -> None:
        """Note how many rows there are, and choose how many of them are read at a time."""
        promised = 0
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            # Of a single column no size is asked: pyarrow 26 ends the process where it is damaged.
            size = max(group.total_byte_size, 0)
            self._refuse_too_large(path, number, size, max(group.num_rows, 1))
            promised += size
        rows = max(file.metadata.num_rows, 1)
        self.total += file.metadata.num_rows
        self.batch_rows.append(
            min(max(_BATCH_BYTES // max(promised // rows, 1), 1), _MAX_BATCH_ROWS)
        )

    def _refuse_too_large(self, path: Path, number: int, size: int, rows: int) -> None:
        """Refuse a row group that would take more memory than there is."""
        needed = _COPIES_OF_PAGE * min(size, size // rows * _ROWS_PER_PAGE)
        if self.memory is None or needed <= self.memory.available_bytes:
            return
        free = self.memory.available_bytes
        raise InvalidDatasetError(
            f"Row group {number} of {path} has {count(rows, 'row')} of {size:,} bytes, so that "
            f"reading it takes about {needed:,} bytes of memory; {free:,} are free.",
            hint="Write the file anew with smaller row groups, such as 100 rows, or convert it on "
            "a machine with more memory.",
            reason="too-big",
            details={"needed_bytes": needed, "available_bytes": free},
        )


def _rows_of(batch: pa.RecordBatch, columns: ParquetColumns) -> list[_Row]:
    def values(name: str | None) -> list[object]:
        if name is None:
            return [None] * len(batch)
        found: list[object] = batch.column(batch.schema.get_field_index(name)).to_pylist()
        return found

    pictures = batch.column(batch.schema.get_field_index(columns.image))
    contents, paths = pictures, [None] * len(batch)
    if pa.types.is_struct(pictures.type):
        contents = pc.struct_field(pictures, BYTES)
        if pictures.type.get_field_index(PATH) >= 0:
            paths = pc.struct_field(pictures, PATH).to_pylist()
    labels, groups = values(columns.label), values(columns.group)
    return [
        _Row(content, path if isinstance(path, str) else "", label, group)
        for content, path, label, group in zip(
            contents.to_pylist(), paths, labels, groups, strict=True
        )
    ]


def _paths_only(rejected: list[Rejected]) -> str:
    paths = [one.reason.partition("the path ")[2] for one in rejected[:3]]
    return f", only paths such as {some(paths)}" if all(paths) else ""
