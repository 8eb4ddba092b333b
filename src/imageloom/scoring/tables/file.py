"""Scored tables on disk: write one, and read one back exactly, also one that a stranger made.

Columns: ``file``, ``label`` (empty when unknown), ``Scored Labels``, and per class
``Scored Probabilities_<class>``. Other columns are left alone. Where a picture may have several
labels: ``file``, ``labels`` (absent when unknown) and ``Scored Label Set``, both lists of names, in
CSV with ``|`` between them, and the same probabilities.
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
from imageloom.scoring.tables.csv import SEPARATOR, CsvSource, write_csv
from imageloom.scoring.tables.label_set_rows import LabelSetRows
from imageloom.scoring.tables.label_set_table import (
    LABELS,
    SCORED_SET,
    LabelSetTable,
    names_of_sets,
)
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

AnyTable = ScoredTable | LabelSetTable

FORMAT_VERSION: Final = 1
SEVERAL_LABELS_VERSION: Final = 2  # with several labels per picture, which version 1 does not know
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


def write_table(table: AnyTable, path: Path | str) -> None:
    """Publish a table as Parquet or CSV, by the suffix; what was there before is replaced.

    Parquet holds everything. CSV holds the columns only, so a table read back from it has neither
    ``root`` nor ``model_digest`` nor ``left_out`` nor ``thresholds``.

    Raises:
        ParameterParsingError: The suffix is neither of the two.
        NotScoredDatasetError: A label that may be one of several holds ``|``, which CSV puts
            between them.
        FailedToWriteOutputsError: The file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    is_csv = path.suffix.lower() == ".csv"
    if isinstance(table, LabelSetTable):
        if is_csv:
            refuse_separator(table.classes, path)
        texts = [FILE, *([LABELS] if table.is_labelled else []), SCORED_SET]
        kinds = [pa.string()] + [pa.list_(pa.string())] * (len(texts) - 1)
    else:
        texts = [FILE, LABEL, SCORED_LABEL]
        kinds = [pa.string()] * 3
    names = [*texts, *(PROBABILITY + name for name in table.classes)]
    with writing_file(path) as partial:
        if is_csv:
            write_csv(partial, names, _columns(table, names))
            return
        kinds += [pa.float32()] * len(table.classes)
        schema = pa.schema(list(zip(names, kinds, strict=True)))
        write_parquet(partial, schema, _record(table), _columns(table, names))


def refuse_separator(classes: Sequence[str], path: Path) -> None:
    """Refuse labels that could not be told apart in a cell of CSV.

    Raises:
        NotScoredDatasetError: A name holds ``|``.
    """
    bad = [name for name in classes if SEPARATOR in name]
    if bad:
        raise NotScoredDatasetError(
            f"The label {bad[0]!r} holds {SEPARATOR!r}, which stands between the labels of a "
            f"picture in {path}.",
            hint="Write the table as .parquet, which holds lists, or rename the label.",
            reason="separator-in-name",
            details={"classes": bad[:100]},
        )


def read_table(path: Path | str) -> ScoredTable:
    """Read a scored table with one label for each picture and check every cell of it.

    Raises:
        CouldNotOpenFileError: There is no such file.
        ParameterParsingError: The suffix is neither ``.parquet`` nor ``.csv``.
        NotScoredDatasetError: A column is missing, a number is no probability, a row does not add
            up to 1, or a scored label is not the most probable class; the message names row and
            column. Or each picture may have several labels.
        NotExpectedLabelColumnError: A label is not text, or none of the scored classes.
    """
    return require_one_label(read_any_table(path), f"the scores in {path}")


def require_one_label(table: AnyTable, what: str) -> ScoredTable:
    """Return a table in which each picture has one label.

    Args:
        table: The table.
        what: What it is, for the message.

    Raises:
        NotScoredDatasetError: Each picture may have several.
    """
    if isinstance(table, ScoredTable):
        return table
    raise NotScoredDatasetError(
        f"Pictures in {what} may have several labels each, of {len(table.classes):,}, which this "
        "step does not do yet.",
        hint="'imageloom evaluate' gives the figures of one such table.",
        reason="several-labels",
    )


def read_any_table(path: Path | str) -> AnyTable:
    """Read a scored table of either kind, as ``read_table``.

    Raises:
        ImageloomError: As ``read_table``.
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
    root = Path(root) if isinstance(root, str) else None
    digest = str(source.record.get("model_digest", ""))
    left_out = _left_out(source.record.get("left_out", {}), path)
    count = source.count_rows()
    if SCORED_SET in source.names:
        sets = LabelSetRows(path, source.names, classes, count=count)
        for chunk in source.chunks():
            sets.add(chunk)
        thresholds = _thresholds(source.record.get("label_thresholds"), classes, path)
        return sets.table(thresholds=thresholds, root=root, model_digest=digest, left_out=left_out)
    rows = TableRows(path, source.names, classes, count=count)
    for chunk in source.chunks():
        rows.add(chunk)
    return rows.table(root=root, model_digest=digest, left_out=left_out)


def _thresholds(found: object, classes: tuple[str, ...], path: Path) -> tuple[float, ...] | None:
    if found is None:
        return None
    if (
        isinstance(found, list)
        and len(found) == len(classes)
        and all(isinstance(one, float) and 0 <= one <= 1 for one in found)
    ):
        return tuple(found)
    raise NotScoredDatasetError(
        f"The metadata of {path} tell the labels' thresholds as {found!r:.80}, not as "
        f"{len(classes):,} numbers between 0 and 1.",
        hint="A program has changed the table. Score the pictures again.",
        reason="bad-metadata",
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


def _columns(table: AnyTable, names: Sequence[str]) -> Iterator[pa.Table]:
    for start in range(0, len(table), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        text = [table.files.slice(start, ROWS_AT_A_TIME), *_label_columns(table, rows)]
        numbers_KR = np.ascontiguousarray(table.probabilities_NK[rows].T)
        yield pa.Table.from_arrays([*text, *map(pa.array, numbers_KR)], names=list(names))


def _label_columns(table: AnyTable, rows: slice) -> list[pa.Array]:
    if isinstance(table, ScoredTable):
        return [names_at(table.classes, one[rows]) for one in (table.labels_N, table.predicted_N)]
    sets = [table.labels_NK, table.predicted_NK]
    return [names_of_sets(table.classes, one[rows]) for one in sets if one is not None]


def _record(table: AnyTable) -> dict[str, object]:
    several = isinstance(table, LabelSetTable)
    thresholds = table.thresholds if isinstance(table, LabelSetTable) else None
    return {
        "format_version": SEVERAL_LABELS_VERSION if several else FORMAT_VERSION,
        "made_by": f"imageloom {__version__}",
        "classes": list(table.classes),
        "root": None if table.root is None else str(table.root),
        "model_digest": table.model_digest,
        "left_out": dict(table.left_out),
        **({} if thresholds is None else {"label_thresholds": list(thresholds)}),
    }


def _check_columns(source: TableSource, path: Path) -> tuple[str, ...]:
    """Return the class list, after looking for every column a scored table needs."""
    version = source.record.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > SEVERAL_LABELS_VERSION:
        raise NotScoredDatasetError(
            f"{path} has format version {version!r}; this Imageloom reads up to "
            f"{SEVERAL_LABELS_VERSION}.",
            hint=f"It was made by {source.record.get('made_by')}. Update Imageloom.",
            reason="format-version",
        )
    columns = Counter(source.names)
    prefixed = [name for name in source.names if name.startswith(PROBABILITY)]
    scored, label = (SCORED_SET, LABELS) if SCORED_SET in columns else (SCORED_LABEL, LABEL)
    missing = [name for name in (FILE, scored) if name not in columns]
    missing += [] if prefixed else [PROBABILITY + "<class>"]
    if missing:
        raise NotScoredDatasetError(
            f"{path} is no scored table: it lacks {', '.join(map(repr, missing))}.",
            hint="Write one with 'imageloom score'.",
            reason="missing-column",
            details={"missing": missing},
        )
    repeated = [name for name in (FILE, label, scored, *prefixed) if columns[name] > 1]
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
