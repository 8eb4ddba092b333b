"""The files that a source names, before any is opened: columns, so that millions of rows fit."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.data.images.directory import Rejected
from imageloom.data.images.index import (
    LABELS,
    UNLABELLED,
    has_several,
    rows_and_labels,
    with_label_sets,
    without_labels,
)
from imageloom.files.publish import digest_of_json

FILES: Final = pa.schema(
    [
        pa.field("path", pa.binary(), nullable=False),  # relative to the root, as in the index
        pa.field("label", pa.int32(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("mtime_ns", pa.int64(), nullable=False),
        pa.field("group", pa.string()),
    ]
)
_ROWS_PER_CHUNK: Final = 65_536


@dataclass(frozen=True)
class Listing:
    """What a source holds.

    Attributes:
        root: Absolute folder that the paths start from.
        classes: Ordered class names; empty when unlabelled.
        files: One row per file that may be a picture (``FILES``; where each may have several
            labels, with the column ``LABELS``).
        rejected: Files that are left out already, with reasons; they count as lost pictures.
        notices: What a person should know.
        named: What the root is called in sentences, where it lies elsewhere only for a moment.
    """

    root: Path
    classes: tuple[str, ...]
    files: pa.Table
    rejected: tuple[Rejected, ...] = ()
    notices: tuple[str, ...] = ()
    named: Path | None = None

    @property
    def place(self) -> Path:
        """What a person is told of as the place of the files."""
        return self.named or self.root

    def __len__(self) -> int:
        return int(self.files.num_rows)

    def without_labels(self) -> Self:
        """Return the same files, none of which has a class."""
        files = without_labels(self.files)
        rejected = tuple(dataclasses.replace(one, label=None) for one in self.rejected)
        return dataclasses.replace(self, classes=(), files=files, rejected=rejected)

    def digest(self) -> str:
        """Return a SHA-256 that changes with any name, label, size or time of modification."""
        digest = hashlib.sha256(digest_of_json([str(self.root), self.classes]).encode("ascii"))
        for batch in self.files.to_batches(max_chunksize=_ROWS_PER_CHUNK):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                digest.update(repr(row).encode("utf-8", "backslashreplace"))
        for one in self.rejected:
            digest.update(repr(one).encode("utf-8", "backslashreplace"))
        return digest.hexdigest()


class FileColumns:
    """Grows a table of ``FILES`` row by row, holding few of the rows as Python objects."""

    def __init__(self) -> None:
        self._chunks: list[pa.RecordBatch] = []
        self._rows: list[tuple[bytes, int, int, int, str | None]] = []
        self._sets: list[pa.Array] = []
        self._sets_of_rows: list[Sequence[int]] = []

    def __len__(self) -> int:
        return len(self._chunks) * _ROWS_PER_CHUNK + len(self._rows)

    def add(
        self,
        path: bytes,
        label: int | Sequence[int],
        *,
        size: int,
        mtime_ns: int,
        group: str | None = None,
    ) -> None:
        """Append one file.

        Args:
            path: Relative to the root.
            label: Position in any list of names; ``relabelled`` can change it later. Several, or
                none, where each file may have several: of all files, or of none.
            size: Bytes.
            mtime_ns: Time of its last modification, in nanoseconds since 1970.
            group: Its group, or None.
        """
        if not isinstance(label, int):
            self._sets_of_rows.append(label)
            label = UNLABELLED
        self._rows.append((path, label, size, mtime_ns, group))
        if len(self._rows) == _ROWS_PER_CHUNK:
            self._flush()

    def table(self) -> pa.Table:
        """Return all rows in order of addition; no more may be added."""
        self._flush()
        table = pa.Table.from_batches(self._chunks, schema=FILES)
        if not self._sets:
            return table
        return table.append_column(LABELS, pa.chunked_array(self._sets, LABELS.type))

    def _flush(self) -> None:
        if self._sets_of_rows:
            self._sets.append(pa.array(self._sets_of_rows, LABELS.type))
            self._sets_of_rows = []
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(columns, FILES if self._rows else (), strict=True)
        ]
        if arrays:
            self._chunks.append(pa.RecordBatch.from_arrays(arrays, schema=FILES))
        self._rows = []


def sorted_by_path(files: pa.Table) -> pa.Table:
    """Return the rows in the order of their paths' bytes, which no file system decides."""
    return files.take(pc.sort_indices(files, sort_keys=[("path", "ascending")]))


def relabelled(files: pa.Table, new_labels: npt.NDArray[np.int32]) -> pa.Table:
    """Return the rows with each label exchanged.

    Args:
        files: A table of ``FILES``.
        new_labels: int32 [K], the new label for each old one.
    """
    if has_several(files):
        rows, old = rows_and_labels(files)
        return with_label_sets(files, rows, new_labels[old])
    column = FILES.get_field_index("label")
    labels = new_labels[files.column("label").to_numpy()]
    return files.set_column(column, FILES.field(column), pa.array(labels, type=pa.int32()))


def in_string_order(names: list[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """Return names in string order, by code points, and the new position of each old one.

    ``10`` stands before ``2``: the order is stored with every model, so that it only has to be the
    same everywhere, and a numeric order would change when a name without a number joins.
    """
    order = sorted(range(len(names)), key=names.__getitem__)
    positions = np.empty(len(names), dtype=np.int32)
    positions[order] = np.arange(len(names), dtype=np.int32)
    return tuple(names[place] for place in order), positions
