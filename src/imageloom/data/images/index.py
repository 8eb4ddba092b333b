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
import pyarrow.compute as pc

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

_RANGES: Final = {
    "width": (1, 2**31 - 1),
    "height": (1, 2**31 - 1),
    "orientation": (1, 8),
    "size_bytes": (1, 2**63 - 1),
}
# An absolute path, a part '..', a NUL, or nothing at all.
_LEADS_OUT: Final = r"^/|(^|/)\.\.(/|$)|\x00|^$"


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


def problem_of(index: pa.Table, num_classes: int) -> str:
    """Return what makes an index from a file unusable, as a sentence's end; empty when nothing.

    Whoever can write a file can write any index into it: a row must name a file below the root, and
    a label one of the classes.
    """
    if not index.schema.equals(SCHEMA):
        names = ", ".join(map(repr, index.schema.names[:20]))
        return f"its columns are {names}, or of other types than they must be"
    try:
        index.validate(full=True)
    except pa.ArrowException as problem:
        return f"its columns contradict themselves: {str(problem)[:200]}"
    if any(index.column(one.name).null_count for one in SCHEMA if not one.nullable):
        return "a row lacks a value"
    for name, (lowest, highest) in (_RANGES | {"label": (UNLABELLED, num_classes - 1)}).items():
        found = pc.min_max(index.column(name)).as_py()
        for value in (found["min"], found["max"]):
            if value is not None and not lowest <= value <= highest:
                return f"a row's {name} is {value:,}, but must be {lowest:,} to {highest:,}"
    strange = pc.match_substring_regex(index.column("path"), _LEADS_OUT)
    if pc.any(strange).as_py():
        first = index.column("path")[pc.index(strange, True).as_py()].as_py()
        return f"a row's path is {file_name(first)!r}, but must lie below the root"
    return ""


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
