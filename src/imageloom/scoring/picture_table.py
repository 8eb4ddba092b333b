"""Writes which picture stands in which cell of the confusion matrix, for pages to look up.

Legend: R rows of a part of a table.
"""

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from imageloom.events import CancelToken
from imageloom.scoring.read_pictures import FORMAT_VERSION, INDEXES, SCHEMA
from imageloom.scoring.tables.scored_table import ROWS_AT_A_TIME, UNKNOWN, ScoredTable

_INSERT: Final = "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)"
_Row = tuple[int, str, int | None, int, float, float | None, int | None]


def write_pictures(
    table: ScoredTable, path: Path, *, root: Path | None, cancel: CancelToken
) -> None:
    """Write every row of a table into a new SQLite file, which is then only read.

    Args:
        table: The scores.
        path: The file, inside a directory that is being published.
        root: Folder that the names of the table start from, or None when it is not known.
        cancel: Stops it between two parts.

    Raises:
        OSError: It cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
            # The directory is published whole or not at all, so the file needs no journal, and
            # being immutable afterwards it must not be in the mode of a write-ahead log.
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("PRAGMA synchronous = OFF")
            file.executescript(SCHEMA)
            file.execute("BEGIN")
            _fill(file, table, root, cancel)
            file.execute("COMMIT")
            file.executescript(INDEXES)
    except sqlite3.OperationalError as problem:
        is_full = problem.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if is_full else errno.EIO, str(problem), str(path)) from problem


def _fill(
    file: sqlite3.Connection, table: ScoredTable, root: Path | None, cancel: CancelToken
) -> None:
    about = {
        "format_version": str(FORMAT_VERSION),
        "root": "" if root is None else str(root).encode("utf-8", "backslashreplace").decode(),
        "model_digest": table.model_digest,
    }
    file.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    file.executemany("INSERT INTO classes VALUES (?, ?)", enumerate(table.classes))
    for start in range(0, len(table), ROWS_AT_A_TIME):
        cancel.raise_if_set()
        file.executemany(_INSERT, _rows(table, slice(start, start + ROWS_AT_A_TIME)))


def _rows(table: ScoredTable, part: slice) -> Iterator[_Row]:
    labels_R, predicted_R = table.labels_N[part], table.predicted_N[part]
    probabilities_RK = table.probabilities_NK[part]
    at_R = np.arange(len(labels_R))
    columns = zip(
        (at_R + part.start).tolist(),
        table.files[part].to_pylist(),
        labels_R.tolist(),
        predicted_R.tolist(),
        probabilities_RK[at_R, predicted_R].tolist(),
        probabilities_RK[at_R, labels_R].tolist(),  # of the last class where there is no label
        strict=True,
    )
    for row, name, label, scored, probability, label_probability in columns:
        if label == UNKNOWN:
            yield row, name, None, scored, probability, None, None
        else:
            yield row, name, label, scored, probability, label_probability, int(label == scored)
