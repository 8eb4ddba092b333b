"""The duplicates that a search found, page by page, by the standard library alone.

A page that shows them must not load a numeric library for it. The file is SQLite, made once by
``imageloom.data.previews.search_worker`` and never changed.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from imageloom.errors import InvalidDatasetError

MOST_SETS: Final = 500
_MOST_PICTURES: Final = 12  # of a set, as it is shown
SCHEMA: Final = """
CREATE TABLE about (value TEXT NOT NULL);
CREATE TABLE sets (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,            -- 'equal', 'similar' or 'leak'
    distance INTEGER NOT NULL,     -- largest of its members
    contradiction INTEGER NOT NULL -- 1 where they stand under different labels
);
CREATE TABLE members (
    number INTEGER NOT NULL,       -- of the set
    position INTEGER NOT NULL,     -- in the set
    row INTEGER NOT NULL,          -- in its image directory
    other INTEGER NOT NULL,        -- 1 for one of the other image directory
    file TEXT NOT NULL,
    label TEXT,
    distance INTEGER NOT NULL,     -- bits that differ from the first of the set
    PRIMARY KEY (number, position)
) WITHOUT ROWID;
CREATE INDEX by_kind ON sets (kind, contradiction DESC, number);
"""

SetKind = Literal["equal", "similar", "leak", "contradiction"]


@dataclass(frozen=True)
class SetMember:
    """A picture of a set.

    Attributes:
        row: Its position in its image directory.
        is_other: Whether that is the other one.
        file: Its path from the root.
        label: Its class, or None.
        distance: In how many of 64 bits it differs from the first of the set.
    """

    row: int
    is_other: bool
    file: str
    label: str | None
    distance: int


@dataclass(frozen=True)
class DuplicateSet:
    """Pictures that stand more than once, or look alike.

    Attributes:
        number: Of the set in its search.
        kind: ``equal`` bytes, ``similar``, or a ``leak`` between two image directories.
        distance: The largest of its members.
        is_contradiction: Whether they stand under different labels.
        pictures: The first 12 of them.
        num_pictures: How many there are.
    """

    number: int
    kind: str
    distance: int
    is_contradiction: bool
    pictures: tuple[SetMember, ...]
    num_pictures: int


@dataclass(frozen=True)
class AboutSearch:
    """What holds for a whole search.

    Attributes:
        images: How many pictures were looked at, without those of the other image directory.
        equal: How many sets of equal bytes.
        similar: How many sets that look alike.
        leaks: How many pictures that stand in both.
        contradictions: How many sets under different labels.
        flat: How many pictures show nothing that could be compared.
        unread: Files that could not be read, with what is wrong.
        unread_total: How many of them there are; ``unread`` has the first.
        brightness_counts: How many pictures have a mean grey value in each of 16 equal parts of 0
            to 255.
    """

    images: int
    equal: int
    similar: int
    leaks: int
    contradictions: int
    flat: int
    unread: tuple[tuple[str, str], ...]
    unread_total: int
    brightness_counts: tuple[int, ...]


def about_search(file: Path) -> AboutSearch:
    """Return what holds for a whole search.

    Raises:
        InvalidDatasetError: The file is damaged.
    """
    with _reading(file) as table:
        content = json.loads(table.execute("SELECT value FROM about").fetchone()[0])
        lists = {
            "unread": tuple((str(one[0]), str(one[1])) for one in content["unread"]),
            "brightness_counts": tuple(map(int, content["brightness_counts"])),
        }
        return AboutSearch(**{**content, **lists})


def read_sets(
    file: Path, kind: SetKind, *, offset: int = 0, limit: int = 50
) -> tuple[tuple[DuplicateSet, ...], int]:
    """Return some sets of a kind, those under different labels first, and how many there are.

    Args:
        file: What a search made.
        kind: ``contradiction`` for sets of any kind within one image directory.
        offset: How many to pass over.
        limit: How many to return, up to ``MOST_SETS``.

    Raises:
        InvalidDatasetError: The file is damaged.
    """
    where = "contradiction = 1 AND kind != 'leak'" if kind == "contradiction" else "kind = :kind"
    with _reading(file) as table:
        (total,) = table.execute(
            f"SELECT COUNT(*) FROM sets WHERE {where}", {"kind": kind}
        ).fetchone()
        rows = table.execute(
            f"SELECT number, kind, distance, contradiction FROM sets WHERE {where} "
            "ORDER BY contradiction DESC, number LIMIT :limit OFFSET :offset",
            {"kind": kind, "limit": min(limit, MOST_SETS), "offset": offset},
        ).fetchall()
        return tuple(_set(table, row) for row in rows), int(total)


def rows_in_sets(file: Path, kind: SetKind, label: str | None = None) -> list[int]:
    """Return the positions of all pictures, of the image directory itself, in sets of a kind.

    Args:
        file: What a search made.
        kind: As for ``read_sets``.
        label: Only those of this class.

    Raises:
        InvalidDatasetError: The file is damaged.
    """
    where = "contradiction = 1 AND kind != 'leak'" if kind == "contradiction" else "kind = :kind"
    of_class = "" if label is None else "AND label = :label"
    with _reading(file) as table:
        found = table.execute(
            f"SELECT DISTINCT row FROM members JOIN sets USING (number) WHERE {where} "
            f"AND other = 0 {of_class} ORDER BY row",
            {"kind": kind, "label": label},
        )
        return [int(row) for (row,) in found]


def rows_of_set(file: Path, number: int) -> list[int]:
    """Return the positions of all pictures of a set that lie in the image directory itself.

    Args:
        file: What a search made.
        number: Of the set; one that is not there has none.

    Raises:
        InvalidDatasetError: The file is damaged.
    """
    with _reading(file) as table:
        found = table.execute(
            "SELECT row FROM members WHERE number = ? AND other = 0 ORDER BY row", (number,)
        )
        return [int(row) for (row,) in found]


def _set(table: sqlite3.Connection, row: tuple[int, str, int, int]) -> DuplicateSet:
    number, kind, distance, contradiction = row
    members = table.execute(
        "SELECT row, other, file, label, members.distance FROM members WHERE number = ? "
        "ORDER BY position LIMIT ?",
        (number, _MOST_PICTURES),
    )
    pictures = tuple(
        SetMember(int(place), bool(other), str(file), label, int(bits))
        for place, other, file, label, bits in members
    )
    (num,) = table.execute("SELECT COUNT(*) FROM members WHERE number = ?", (number,)).fetchone()
    return DuplicateSet(number, kind, distance, bool(contradiction), pictures, int(num))


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as table:
            yield table
    except (sqlite3.Error, ValueError, TypeError, KeyError) as problem:
        raise InvalidDatasetError(
            f"{file.name} does not hold what a search for duplicates found: {problem}.",
            hint="Search anew.",
            reason="damaged",
        ) from problem
