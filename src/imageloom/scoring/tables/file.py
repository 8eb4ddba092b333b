"""Scored tables on disk: write one, and read one back exactly, also one that a stranger made.

Columns: ``file``, ``label`` (empty when unknown), ``Scored Labels``, and per class
``Scored Probabilities_<class>``. Other columns are left alone.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from imageloom import __version__
from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToWriteOutputsError,
    NotScoredDatasetError,
    ParameterParsingError,
)
from imageloom.files.publish import writing_file
from imageloom.preprocessing import check_class_names
from imageloom.scoring.tables.csv import CsvSource, write_csv
from imageloom.scoring.tables.parquet import ParquetSource, write_parquet
from imageloom.scoring.tables.read_rows import TableRows
from imageloom.scoring.tables.scored_table import (
    FILE,
    LABEL,
    PROBABILITY,
    ROWS_AT_A_TIME,
    SCORED_LABEL,
    ScoredTable,
    names_at,
)
from imageloom.scoring.tables.source import TableSource

__all__ = ["SUFFIXES", "ScoredTable", "check_place", "check_suffix", "read_table", "write_table"]

FORMAT_VERSION: Final = 1
SUFFIXES: Final = (".parquet", ".csv")

_SOURCES: Final[dict[str, Callable[[Path], TableSource]]] = {
    ".parquet": ParquetSource,
    ".csv": CsvSource,
}


def check_suffix(path: Path) -> None:
    """Refuse a file name that does not say which format is meant.

    Raises:
        ParameterParsingError: The name ends in neither ``.parquet`` nor ``.csv``.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ParameterParsingError(
            f"The score table {path} ends in {path.suffix or 'nothing'!r}, but must end in "
            f"{' or '.join(SUFFIXES)}.",
            hint="Parquet is exact, small and quick; CSV opens in a spreadsheet.",
            details={"file": str(path)},
        )


def check_place(path: Path) -> None:
    """Refuse a place where a table must not be written.

    A scored table that stands there may be replaced. Anything else is somebody's own file, such
    as a list of labels that is also called ``.csv``.

    Raises:
        ParameterParsingError: The suffix is neither ``.parquet`` nor ``.csv``.
        FailedToWriteOutputsError: Something else than a scored table stands there.
    """
    check_suffix(path)
    if not path.exists() and not path.is_symlink():
        return
    try:
        is_ours = path.is_file() and bool(_check_columns(_source(path), path))
    except NotScoredDatasetError:
        is_ours = False
    if not is_ours:
        raise FailedToWriteOutputsError(
            f"{path} exists already and is no scored table.",
            hint="Choose another place; only scored tables are replaced.",
            reason="exists",
        )


def write_table(table: ScoredTable, path: Path | str) -> None:
    """Publish a table as Parquet or CSV, by the suffix; what was there before is replaced.

    Parquet holds everything. CSV holds the columns only, so a table read back from it has neither
    ``root`` nor ``model_digest`` nor ``left_out``.

    Raises:
        ParameterParsingError: The suffix is neither of the two.
        FailedToWriteOutputsError: The file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    names = [FILE, LABEL, SCORED_LABEL, *(PROBABILITY + name for name in table.classes)]
    with writing_file(path) as partial:
        if path.suffix.lower() == ".csv":
            write_csv(partial, names, _columns(table, names))
            return
        kinds = [pa.string()] * 3 + [pa.float32()] * len(table.classes)
        schema = pa.schema(list(zip(names, kinds, strict=True)))
        write_parquet(partial, schema, _record(table), _columns(table, names))


def read_table(path: Path | str) -> ScoredTable:
    """Read a scored table and check every cell of it.

    Raises:
        CouldNotOpenFileError: There is no such file.
        ParameterParsingError: The suffix is neither ``.parquet`` nor ``.csv``.
        NotScoredDatasetError: A column is missing, a number is no probability, a row does not add
            up to 1, or a scored label is not the most probable class; the message names row and
            column.
        NotExpectedLabelColumnError: A label is not text, or none of the scored classes.
    """
    path = Path(path)
    check_suffix(path)
    if not path.is_file():
        raise CouldNotOpenFileError(
            f"There is no score table {path}.",
            hint="Write one with 'imageloom score'.",
            reason="missing-file",
        )
    source = _source(path)
    classes = _check_columns(source, path)
    root = source.record.get("root")
    rows = TableRows(path, source.names, classes, count=source.count_rows())
    for chunk in source.chunks():
        rows.add(chunk)
    return rows.table(
        root=Path(root) if isinstance(root, str) else None,
        model_digest=str(source.record.get("model_digest", "")),
        left_out=_left_out(source.record.get("left_out", {}), path),
    )


def _left_out(found: object, path: Path) -> dict[str, int]:
    if isinstance(found, dict) and all(type(number) is int for number in found.values()):
        return {str(reason): number for reason, number in found.items()}
    raise NotScoredDatasetError(
        f"The metadata of {path} tell the files that were left out as {found!r:.80}, not as "
        "numbers by reason.",
        hint="A program has changed the table. Score the pictures again.",
        reason="bad-metadata",
    )


def _source(path: Path) -> TableSource:
    return _SOURCES[path.suffix.lower()](path)


def _columns(table: ScoredTable, names: Sequence[str]) -> Iterator[pa.Table]:
    for start in range(0, len(table), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        text = [
            table.files.slice(start, ROWS_AT_A_TIME),
            names_at(table.classes, table.labels_N[rows]),
            names_at(table.classes, table.predicted_N[rows]),
        ]
        numbers_KR = np.ascontiguousarray(table.probabilities_NK[rows].T)
        yield pa.Table.from_arrays([*text, *map(pa.array, numbers_KR)], names=list(names))


def _record(table: ScoredTable) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "made_by": f"imageloom {__version__}",
        "classes": list(table.classes),
        "root": None if table.root is None else str(table.root),
        "model_digest": table.model_digest,
        "left_out": dict(table.left_out),
    }


def _check_columns(source: TableSource, path: Path) -> tuple[str, ...]:
    """Return the class list, after looking for every column a scored table needs."""
    version = source.record.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise NotScoredDatasetError(
            f"{path} has format version {version!r}; this Imageloom reads up to {FORMAT_VERSION}.",
            hint=f"It was made by {source.record.get('made_by')}. Update Imageloom.",
            reason="format-version",
        )
    columns = Counter(source.names)
    prefixed = [name for name in source.names if name.startswith(PROBABILITY)]
    missing = [name for name in (FILE, SCORED_LABEL) if name not in columns]
    missing += [] if prefixed else [PROBABILITY + "<class>"]
    if missing:
        raise NotScoredDatasetError(
            f"{path} is no scored table: it lacks {', '.join(map(repr, missing))}.",
            hint="Write one with 'imageloom score'.",
            reason="missing-column",
            details={"missing": missing},
        )
    repeated = [name for name in (FILE, LABEL, SCORED_LABEL, *prefixed) if columns[name] > 1]
    if repeated:
        raise NotScoredDatasetError(
            f"{path} has the column {repeated[0]!r} {columns[repeated[0]]} times.",
            reason="repeated-column",
        )
    classes = check_class_names(
        [name.removeprefix(PROBABILITY) for name in prefixed], NotScoredDatasetError
    )
    if source.record.get("classes", list(classes)) != list(classes):
        raise NotScoredDatasetError(
            f"The columns of {path} are not those of the class list in its metadata.",
            hint="A program has changed the table. Score the pictures again.",
            reason="classes-differ",
        )
    return classes
