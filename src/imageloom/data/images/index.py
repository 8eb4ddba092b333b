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

# Of each picture all labels that it has, as rising positions in the class list; may be none. In an
# index with this column, "label" is UNLABELLED everywhere.
LABELS: Final = pa.field("labels", pa.list_(pa.int32()), nullable=False)
SEVERAL_SCHEMA: Final = SCHEMA.append(LABELS)

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
    if not index.schema.equals(SEVERAL_SCHEMA if has_several(index) else SCHEMA):
        names = ", ".join(map(repr, index.schema.names[:20]))
        return f"its columns are {names}, or of other types than they must be"
    try:
        index.validate(full=True)
    except pa.ArrowException as problem:
        return f"its columns contradict themselves: {str(problem)[:200]}"
    if any(index.column(one.name).null_count for one in index.schema if not one.nullable):
        return "a row lacks a value"
    if has_several(index) and (wrong := _problem_of_sets(index, num_classes)):
        return wrong
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


def has_several(index: pa.Table) -> bool:
    """Whether an index says of each picture which of several labels it has."""
    return LABELS.name in index.schema.names


def rows_and_labels(index: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return each label of each picture as a pair: row of the index, position in the class list.

    Args:
        index: One with several labels per picture.

    Returns:
        Two arrays of one length, by row and then by label.
    """
    lists = index.column(LABELS.name).combine_chunks()
    rows: npt.NDArray[np.int64] = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
    labels: npt.NDArray[np.int32] = lists.flatten().to_numpy()
    return rows, labels


def label_pairs(index: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return each label of each picture, as ``rows_and_labels``, whatever kind of labels there are.

    A picture without a label stands there once, with ``UNLABELLED``.
    """
    every_N = np.arange(index.num_rows)
    if not has_several(index):
        return every_N, labels_of(index)
    rows, labels = rows_and_labels(index)
    plain = np.setdiff1d(every_N, rows)
    all_rows = np.concatenate([rows, plain])
    all_labels = np.concatenate([labels, np.full(len(plain), UNLABELLED, dtype=np.int32)])
    order = np.argsort(all_rows, kind="stable")
    return all_rows[order], all_labels[order]


def with_label_sets(
    index: pa.Table, rows: npt.NDArray[np.int64], labels: npt.NDArray[np.int32]
) -> pa.Table:
    """Return an index whose pictures have these labels and no others.

    Args:
        index: Its labels, if it has any, are left out.
        rows: Row of each pair, in any order.
        labels: int32, position in the class list of each pair; none twice in a row.
    """
    order = np.lexsort((labels, rows))
    ends = np.cumsum(np.bincount(rows, minlength=index.num_rows))
    offsets = pa.array(np.append(0, ends), type=pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(labels[order], type=pa.int32()))
    plain = without_labels(index)
    return plain.append_column(LABELS, lists)


def without_labels(index: pa.Table) -> pa.Table:
    """Return the same pictures, none of which has a label."""
    plain = index.drop_columns([LABELS.name]) if has_several(index) else index
    column = plain.schema.get_field_index("label")
    labels = pa.array(np.full(plain.num_rows, UNLABELLED, dtype=np.int32))
    return plain.set_column(column, plain.schema.field(column), labels)


def _problem_of_sets(index: pa.Table, num_classes: int) -> str:
    rows, labels = rows_and_labels(index)
    if len(labels) and not (labels.min() >= 0 and labels.max() < num_classes):
        worst = labels.min() if labels.min() < 0 else labels.max()
        return f"a row has the label {worst:,}, but there are {num_classes:,} classes"
    if ((np.diff(rows) == 0) & (np.diff(labels) <= 0)).any():
        return "the labels of a row do not rise"
    if (labels_of(index) != UNLABELLED).any():
        return "a row has one label beside several"
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
