"""Pictures that changed sides between two evaluations, by the standard library."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from imageloom.errors import InvalidDatasetError
from imageloom.scoring.read_pictures import (
    COLUMNS,
    MOST_ROWS,
    PictureTable,
    ScoredPicture,
    classes_of,
    picture_of,
    reading_pictures,
)

Side = Literal["lost", "won", "both"]
_SIDES: Final = {
    "lost": "a.correct = 1 AND b.correct = 0",
    "won": "a.correct = 0 AND b.correct = 1",
    "both": "a.correct <> b.correct",
}
_JOINED: Final = (
    "FROM pictures a JOIN other.pictures b ON a.file = b.file "
    "WHERE a.correct IS NOT NULL AND b.correct IS NOT NULL"
)


@dataclass(frozen=True)
class ChangedPicture:
    """A picture that only one of two models has right.

    Attributes:
        left: What the first says of it.
        right: What the second says of it.
    """

    left: ScoredPicture
    right: ScoredPicture


@dataclass(frozen=True)
class ChangedPictures:
    """Two evaluations, picture by picture: those with a label that both hold, by file name.

    Attributes:
        both_right: Pictures that both have right.
        lost: Pictures that only the first has right.
        won: Pictures that only the second has right.
        neither: Pictures that both have wrong.
        only_left: Pictures with a label that only the first holds.
        only_right: Pictures with a label that only the second holds.
        relabelled: Pictures that have another label in the second.
        pictures: Some of those that changed sides, the surest of the second first.
        total: How many of those that were asked for there are.
    """

    both_right: int
    lost: int
    won: int
    neither: int
    only_left: int
    only_right: int
    relabelled: int
    pictures: tuple[ChangedPicture, ...]
    total: int


def changed_pictures(
    left: Path, right: Path, *, side: Side = "both", offset: int = 0, limit: int = 60
) -> ChangedPictures:
    """Return how the pictures of two evaluations changed sides, and some of those that did.

    Args:
        left: A ``pictures.sqlite``.
        right: Another; its classes may stand in another order or be others.
        side: Those that only the first has right, only the second, or both kinds.
        offset: How many to pass over, from 0.
        limit: How many to return, up to ``MOST_ROWS``.

    Raises:
        InvalidDatasetError: An evaluation holds a file twice, so that pictures cannot be matched.
        NotScoredDatasetError: A file is not there, is damaged, or a newer version made it.
    """
    with reading_pictures(right) as table:
        classes_right = classes_of(table)
        count_right = _labelled(table, right)
    with reading_pictures(left) as table:
        classes_left = classes_of(table)
        count_left = _labelled(table, left)
        # It was looked at above; nothing that it defines besides tables is run.
        table.execute("ATTACH ? AS other", (f"{right.absolute().as_uri()}?mode=ro&immutable=1",))
        counts = dict.fromkeys(((1, 1), (1, 0), (0, 1), (0, 0)), 0)
        for one, other, number in table.execute(
            f"SELECT a.correct, b.correct, COUNT(*) {_JOINED} GROUP BY 1, 2"
        ):
            counts[int(one), int(other)] = int(number)
        joined = sum(counts.values())
        found = table.execute(
            f"SELECT {_named('a')}, {_named('b')} {_JOINED} AND {_SIDES[side]} "
            "ORDER BY b.probability DESC, a.row LIMIT :limit OFFSET :offset",
            {"limit": max(0, min(limit, MOST_ROWS)), "offset": max(0, offset)},
        )
        width = COLUMNS.count(",") + 1
        pictures = tuple(
            ChangedPicture(
                picture_of(row[:width], classes_left), picture_of(row[width:], classes_right)
            )
            for row in found
        )
        relabelled = _relabelled(table)
    lost, won = counts[1, 0], counts[0, 1]
    return ChangedPictures(
        both_right=counts[1, 1],
        lost=lost,
        won=won,
        neither=counts[0, 0],
        only_left=count_left - joined,
        only_right=count_right - joined,
        relabelled=relabelled,
        pictures=pictures,
        total={"lost": lost, "won": won, "both": lost + won}[side],
    )


def _named(table: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in COLUMNS.split(","))


def _labelled(table: PictureTable, path: Path) -> int:
    """Return how many pictures have a label; each file must stand there once."""
    row = table.execute(
        "SELECT file, COUNT(*) FROM pictures GROUP BY file HAVING COUNT(*) > 1 LIMIT 1"
    ).fetchone()
    if row is not None:
        raise InvalidDatasetError(
            f"The evaluation in {path.parent} holds the file {row[0]!r} {row[1]} times, so "
            "pictures of two evaluations cannot be matched by file.",
            hint="Compare evaluations in which every file has one row.",
            reason="repeated-file",
        )
    (number,) = table.execute("SELECT COUNT(*) FROM pictures WHERE correct IS NOT NULL").fetchone()
    return int(number)


def _relabelled(table: PictureTable) -> int:
    (number,) = table.execute(
        f"SELECT COUNT(*) {_JOINED} "
        "AND (SELECT name FROM classes WHERE position = a.label) "
        "<> (SELECT name FROM other.classes WHERE position = b.label)"
    ).fetchone()
    return int(number)
