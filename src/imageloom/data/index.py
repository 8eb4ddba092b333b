"""The index of an image directory: one row per picture, in columns.

Columns keep 1.3 million rows in about 150 MB that processes share through the page cache, where a
Python list of as many strings would take gigabytes and be copied into each worker.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

UNLABELLED: Final = -1

SCHEMA: Final = pa.schema(
    [
        # Relative to the root, '/' between parts, as the bytes the file system gave: names need
        # not be UTF-8.
        pa.field("path", pa.binary(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),  # position in the class list, or UNLABELLED
        pa.field("width", pa.int32(), nullable=False),  # pixels, after EXIF orientation
        pa.field("height", pa.int32(), nullable=False),
        pa.field("orientation", pa.int8(), nullable=False),  # EXIF, 1 to 8
        pa.field("format", pa.string(), nullable=False),  # JPEG, PNG, BMP, PPM, TIFF or WEBP
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("sha256", pa.binary(32), nullable=False),
        pa.field("group", pa.string()),  # pictures of one group stay together in a split
    ]
)


class IndexRow(NamedTuple):
    """One picture; the fields are the columns of ``SCHEMA``."""

    path: bytes
    label: int
    width: int
    height: int
    orientation: int
    format: str
    size_bytes: int
    sha256: bytes
    group: str | None = None


def index_from_rows(rows: Iterable[IndexRow]) -> pa.Table:
    """Return the rows as a table of one chunk."""
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    arrays = [
        pa.array(values, type=field.type) for values, field in zip(columns, SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def write_index(index: pa.Table, path: Path) -> None:
    """Write a table so that ``read_index`` can map it into memory."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, index.schema) as writer:
        writer.write_table(index.combine_chunks(), max_chunksize=max(1, index.num_rows))


def read_index(path: Path) -> pa.Table:
    """Map a table into memory; pages are read when touched and shared between processes."""
    # The map stays open as long as a column of the table lives.
    return pa.ipc.open_file(pa.memory_map(str(path), "rb")).read_all()


def labels_of(index: pa.Table) -> npt.NDArray[np.int32]:
    """Return the labels, shape [N], each a position in the class list or ``UNLABELLED``."""
    labels: npt.NDArray[np.int32] = index.column("label").to_numpy()
    return labels


def file_name(path: bytes) -> str:
    """Return a path of the index as text; bytes that are not UTF-8 are shown escaped."""
    return path.decode("utf-8", "backslashreplace")


def full_path(root: Path, path: bytes) -> bytes:
    """Return where a picture of the index lies."""
    return os.path.join(os.fsencode(root), path)  # noqa: PTH118 - pathlib cannot hold bytes
