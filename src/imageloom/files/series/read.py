"""Curves are read: which there are, their rows, few points of many, and all as CSV."""

import contextlib
import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from imageloom.errors import StoreCorruptError
from imageloom.files.plain_file import opening_plain_file
from imageloom.files.series.names import Kind, folder_of_rank, ranks_in, read_names
from imageloom.files.series.rows import (
    BLOCK_ROWS,
    Extent,
    Row,
    extent_of,
    extents_between,
    first_row_where,
    joined_extent,
    num_rows_in,
    rows_between,
    values_between,
)
from imageloom.files.series.writer import levels_file

CSV_COLUMNS: Final = ("name", "rank", "kind", "unit", "step", "epoch", "time", "value")
_ROWS_AT_ONCE: Final = 64 * BLOCK_ROWS


@dataclass(frozen=True)
class StoredSeries:
    """A curve that lies in files.

    Attributes:
        name: As users know it.
        unit: Of its values; empty for fractions and plain numbers.
        kind: Whether a value is that of a step or that of a whole epoch.
        rank: The process that measured it.
        path: The file of its rows, for the functions below; it need not be there yet.
        generation: Of the rows: when it is another one than before, rows that were read may not be
            there any more, and who follows the curve begins at row 0 again.
        num_rows: How many there are; the position of who has read them all.
    """

    name: str
    unit: str
    kind: Kind
    rank: int
    path: Path
    generation: int
    num_rows: int


@dataclass(frozen=True)
class Bucket:
    """Neighbouring rows of a curve as one point to draw.

    Attributes:
        first_step: Step of the first row.
        last_step: Step of the last row.
        min: Lowest finite value; None where there is none.
        max: Highest finite value; likewise.
        last: Value of the last row, whatever it is.
        count: Rows.
        num_nan: Rows whose value is no number.
        num_infinite: Rows whose value is infinite.
    """

    first_step: int
    last_step: int
    min: float | None
    max: float | None
    last: float
    count: int
    num_nan: int
    num_infinite: int


def list_series(folder: Path) -> list[StoredSeries]:
    """Return the curves of all processes in a folder, by rank; none where there is no folder.

    Raises:
        StoreCorruptError: A ``names.json`` is not as it was written.
    """
    found = []
    for rank in ranks_in(folder):
        own = folder_of_rank(folder, rank)
        names = read_names(own, StoreCorruptError)
        for one in names.series:
            path = own / one.file
            with _opened(path) as file:
                num_rows = num_rows_in(file) if file else 0
            found.append(
                StoredSeries(
                    one.name, one.unit, one.kind, one.rank, path, names.generation, num_rows
                )
            )
    return found


def read_series(path: Path, first: int, last: int) -> list[Row]:
    """Return the rows of a curve from number ``first``, from 0, to before ``last``.

    Rows that are not there, as behind the end or after a cut, are left out.

    Raises:
        StoreCorruptError: The file cannot be read.
    """
    with _opened(path) as file:
        return list(rows_between(file, first, last)) if file else []


def rows_behind(path: Path, step: int | None, *, most: int) -> list[Row]:
    """Return the rows of a curve with steps above one, the first so many; all when it is None.

    Who remembers the last step it has read goes on there, whatever was taken away and written again
    meanwhile.

    Raises:
        StoreCorruptError: The file cannot be read.
    """
    with _opened(path) as file:
        if file is None:
            return []
        num_rows = num_rows_in(file)
        first = 0 if step is None else first_row_where(file, num_rows, lambda row: row.step > step)
        return list(rows_between(file, first, min(first + most, num_rows)))


def thin(path: Path, from_step: int, to_step: int, points: int) -> list[Bucket]:
    """Return a part of a curve as at most so many points, in which no peak is lost.

    A bucket has a power of two of rows and begins at a multiple of it, so that those drawn before
    stay as they are while a curve grows; the first and the last one may have fewer rows. Large ones
    are read from the file of levels.

    Args:
        path: ``StoredSeries.path``.
        from_step: First step, included.
        to_step: Last step, included.
        points: At most so many, 2 or more.

    Raises:
        StoreCorruptError: The file cannot be read.
    """
    with _opened(path) as file, _opened(levels_file(path)) as levels:
        if file is None:
            return []
        num_rows = num_rows_in(file)
        first = first_row_where(file, num_rows, lambda row: row.step >= from_step)
        last = first_row_where(file, num_rows, lambda row: row.step > to_step)
        source = _Source(file, levels)
        parts = _parts(first, last, max(2, points))
        return [found for start, stop in parts if (found := source.bucket(start, stop))]


def csv_lines(series: Iterable[StoredSeries]) -> Iterator[str]:
    """Yield some curves as lines of CSV with all their rows, headed by ``CSV_COLUMNS``.

    Numbers have all their digits. At most 16,384 rows are held in memory.

    Raises:
        StoreCorruptError: A file cannot be read.
    """
    yield _csv_text(CSV_COLUMNS) + "\n"
    for one in series:
        of_all_rows = _csv_text((one.name, one.rank, one.kind, one.unit))
        for first in range(0, one.num_rows, _ROWS_AT_ONCE):
            for row in read_series(one.path, first, min(first + _ROWS_AT_ONCE, one.num_rows)):
                yield f"{of_all_rows},{row.step},{row.epoch!r},{row.time!r},{row.value!r}\n"


def _parts(first: int, last: int, points: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of buckets."""
    size = 1
    while -(-last // size) - first // size > points:
        size *= 2
    for start in range(first // size * size, last, size):
        yield max(start, first), min(start + size, last)


@dataclass(frozen=True)
class _Source:
    """The rows of a curve and, if there are any, its levels."""

    rows: BinaryIO
    levels: BinaryIO | None

    def bucket(self, start: int, stop: int) -> Bucket | None:
        """Return rows as one point; None when they were taken away meanwhile."""
        ends = [*rows_between(self.rows, start, start + 1)]
        ends += rows_between(self.rows, stop - 1, stop)
        extents = list(self._extents(start, stop))
        if len(ends) < 2 or not extents:
            return None
        low, high, num_nan, num_infinite = joined_extent(extents)
        return Bucket(
            first_step=ends[0].step,
            last_step=ends[1].step,
            min=None if math.isnan(low) else low,
            max=None if math.isnan(high) else high,
            last=ends[1].value,
            count=stop - start,
            num_nan=num_nan,
            num_infinite=num_infinite,
        )

    def _extents(self, start: int, stop: int) -> Iterator[Extent]:
        """Yield the extents of parts of rows: from levels where they have whole blocks."""
        num_levels = num_rows_in(self.levels) if self.levels else 0
        first, last = -(-start // BLOCK_ROWS), min(stop // BLOCK_ROWS, num_levels)
        if self.levels is None or first >= last:
            yield from self._extents_of_rows(start, stop)
            return
        yield from self._extents_of_rows(start, first * BLOCK_ROWS)
        yield from extents_between(self.levels, first, last)
        yield from self._extents_of_rows(last * BLOCK_ROWS, stop)

    def _extents_of_rows(self, start: int, stop: int) -> Iterator[Extent]:
        for first in range(start, stop, _ROWS_AT_ONCE):
            yield extent_of(values_between(self.rows, first, min(first + _ROWS_AT_ONCE, stop)))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """Yield a plain file, or None where there is none yet."""
    if not path.is_symlink() and not path.exists():
        yield None
        return
    with opening_plain_file(path, StoreCorruptError) as file:
        yield file


def _csv_text(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
