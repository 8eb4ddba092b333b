"""The pictures of an evaluation, cell by cell of its confusion matrix, by the standard library.

A page that shows them must not load a numeric library for it. The file is SQLite, made once by
``picture_table`` and never changed, so it is opened as immutable and without a lock. It may come
from a stranger: nothing that it defines besides tables and indexes is run.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from imageloom.errors import NotScoredDatasetError, UnknownNameError, unknown_name

PICTURES: Final = "pictures.sqlite"
FORMAT_VERSION: Final = 1
MOST_ROWS: Final = 1_000
SCHEMA: Final = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE classes (position INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE pictures (
    row INTEGER PRIMARY KEY,   -- position in the scored table, from 0
    file TEXT NOT NULL,        -- relative to the root in 'about'
    label INTEGER,             -- position of the true class, or NULL where it is not known
    scored INTEGER NOT NULL,   -- position of the class that the model named
    probability REAL NOT NULL, -- of the scored class
    label_probability REAL,    -- of the true class
    correct INTEGER            -- 1, 0, or NULL where the true class is not known
);
"""
# Made after the rows, which is faster; each serves one way to look, the surest first or last.
INDEXES: Final = """
CREATE INDEX by_cell ON pictures (label, scored, probability);
CREATE INDEX by_label ON pictures (label, probability, correct);
CREATE INDEX by_scored ON pictures (scored, probability, correct);
CREATE INDEX by_correct ON pictures (correct, probability);
CREATE INDEX by_probability ON pictures (probability);
"""

COLUMNS: Final = "row, file, label, scored, probability, label_probability, correct"
"""Of the table ``pictures``, as ``picture_of`` takes them."""

PictureTable = sqlite3.Connection
"""An open ``pictures.sqlite``, for those who ask it something of their own."""

PictureOrder = Literal["confidence", "doubt", "row"]
_ORDERS: Final = {
    "confidence": "probability DESC, row",
    "doubt": "probability, row",
    "row": "row",
}
_SOME_STEPS: Final = 100_000_000  # of SQLite's machine: seconds, where an honest file takes moments


@dataclass(frozen=True)
class ScoredPicture:
    """A picture of an evaluation.

    Attributes:
        row: Its position in the scored table, from 0.
        file: Its name, relative to the root of the table.
        label: The true class, or None where it is not known.
        scored_label: The class that the model named.
        probability: How sure the model was of that, 0 to 1.
        label_probability: What it gave the true class, 0 to 1, or None.
        correct: Whether both are the same, or None.
    """

    row: int
    file: str
    label: str | None
    scored_label: str
    probability: float
    label_probability: float | None
    correct: bool | None


@dataclass(frozen=True)
class AboutPictures:
    """What holds for all pictures of an evaluation.

    Attributes:
        root: Absolute folder that the names of the files start from; empty when the scored table
            did not say.
        classes: The class list, in order.
        images: How many pictures there are, also those without a label.
    """

    root: str
    classes: tuple[str, ...]
    images: int


def about_pictures(path: Path) -> AboutPictures:
    """Return where the pictures lie, and the classes.

    Args:
        path: A ``pictures.sqlite``.

    Raises:
        NotScoredDatasetError: There is none, it is damaged, or a newer version made it.
    """
    with reading_pictures(path) as table:
        root = dict(table.execute("SELECT key, value FROM about")).get("root", "")
        (images,) = table.execute("SELECT COUNT(*) FROM pictures").fetchone()
        return AboutPictures(str(root), classes_of(table), int(images))


def read_pictures(  # noqa: PLR0913 - a page's question; all but the first are keywords
    path: Path,
    *,
    label: str | None = None,
    scored: str | None = None,
    correct: bool | None = None,
    order: PictureOrder = "confidence",
    offset: int = 0,
    limit: int = 100,
) -> tuple[list[ScoredPicture], int]:
    """Return a page of the pictures that fit, and how many fit in all.

    With ``label`` and ``scored`` these are the pictures of one cell of the confusion matrix.

    Args:
        path: A ``pictures.sqlite``.
        label: Only pictures of this true class.
        scored: Only pictures that were given this class.
        correct: Only pictures that were given their class, or only the others.
        order: The surest first, the least sure first, or as in the scored table.
        offset: How many to pass over, from 0.
        limit: How many to return, up to ``MOST_ROWS``.

    Raises:
        UnknownNameError: There is no such class.
        NotScoredDatasetError: There is no such file, it is damaged, or a newer version made it.
    """
    with reading_pictures(path) as table:
        classes = classes_of(table)
        wanted = {
            "label": None if label is None else _position(classes, label),
            "scored": None if scored is None else _position(classes, scored),
            "correct": None if correct is None else int(correct),
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given) or "1"
        (total,) = table.execute(f"SELECT COUNT(*) FROM pictures WHERE {where}", given).fetchone()
        found = table.execute(
            f"SELECT {COLUMNS} FROM pictures WHERE {where} ORDER BY {_ORDERS[order]} "
            "LIMIT :limit OFFSET :offset",
            {**given, "limit": max(0, min(limit, MOST_ROWS)), "offset": max(0, offset)},
        )
        return [picture_of(row, classes) for row in found], int(total)


@contextlib.contextmanager
def reading_pictures(path: Path) -> Iterator[PictureTable]:
    """Yield a connection that can only read; whatever is wrong with the file is one error.

    Args:
        path: A ``pictures.sqlite``.

    Raises:
        NotScoredDatasetError: There is none, it is damaged, or a newer version made it.
    """
    try:
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as table:
            table.execute("PRAGMA trusted_schema = OFF")
            table.execute("PRAGMA query_only = ON")
            table.set_progress_handler(lambda: 1, _SOME_STEPS)
            _refuse_other_formats(table)
            yield table
    except UnknownNameError:
        raise
    except (sqlite3.Error, ValueError, TypeError, IndexError, OverflowError) as problem:
        raise NotScoredDatasetError(
            f"{path} does not hold the pictures of an evaluation: {problem}.",
            hint="Evaluate again: 'imageloom evaluate', or run the node Evaluate Model anew.",
            reason="damaged" if path.exists() else "missing-file",
            details={"file": path.name},
        ) from problem


def _refuse_other_formats(table: PictureTable) -> None:
    objects = {
        name: kind
        for kind, name in table.execute(
            "SELECT type, name FROM sqlite_schema WHERE type <> 'index'"
        )
    }
    if objects != dict.fromkeys(("about", "classes", "pictures"), "table"):
        raise ValueError(f"it has the tables {sorted(objects)[:5]}")
    found = table.execute("SELECT value FROM about WHERE key = 'format_version'").fetchone()
    if found is None or str(found[0]) != str(FORMAT_VERSION):
        raise ValueError(f"its format version is {found and found[0]}, not {FORMAT_VERSION}")


def classes_of(table: PictureTable) -> tuple[str, ...]:
    """Return the class list, in order."""
    return tuple(
        str(name) for (name,) in table.execute("SELECT name FROM classes ORDER BY position")
    )


def _position(classes: tuple[str, ...], name: str) -> int:
    if name not in classes:
        raise unknown_name("class", name, classes)
    return classes.index(name)


def picture_of(row: tuple[object, ...], classes: tuple[str, ...]) -> ScoredPicture:
    """Return a row of ``COLUMNS`` as a value."""
    number, file, label, scored, probability, label_probability, correct = row
    return ScoredPicture(
        row=int(str(number)),
        file=str(file),
        label=None if label is None else classes[int(str(label))],
        scored_label=classes[int(str(scored))],
        probability=float(str(probability)),
        label_probability=None if label_probability is None else float(str(label_probability)),
        correct=None if correct is None else bool(correct),
    )
