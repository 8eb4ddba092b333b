"""Scored tables as CSV text (RFC 4180) that a spreadsheet cannot mistake for formulas."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.errors import NotScoredDatasetError
from imageloom.scoring.tables.scored_table import FILE, ROWS_AT_A_TIME
from imageloom.scoring.tables.source import BadCellError

# A spreadsheet computes a cell that begins with one of these. The wide forms do so in Excel under
# Chinese and Japanese settings.
_FORMULA_STARTS: Final = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - the wide forms are meant
_GUARD: Final = "'"
SEPARATOR: Final = "|"  # between the labels of a set, whose names must not hold it


def guarded(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula: ``=1+1`` becomes ``'=1+1``.

    ``unguarded`` undoes it exactly: text that begins with apostrophes and then such a character
    gets one more, all other text stays as it is.
    """
    return _GUARD + cell if _looks_like_formula(cell) else cell


def unguarded(cell: str) -> str:
    """Return the text that ``guarded`` was given."""
    if cell.startswith(_GUARD) and _looks_like_formula(cell):
        return cell[1:]
    return cell


def _looks_like_formula(cell: str) -> bool:
    first = cell.lstrip(_GUARD)[:1]
    return first != "" and first in _FORMULA_STARTS


def sets_of_text(cells: pa.Array) -> pa.ListArray:
    """Return lists of text from cells in which ``SEPARATOR`` stands between labels."""
    parts = [[] if cell is None else cell.split(SEPARATOR) for cell in cells.to_pylist()]
    return pa.array(parts, pa.list_(pa.string()))


def write_csv(path: Path, names: Sequence[str], chunks: Iterator[pa.Table]) -> None:
    """Write columns of text and float32 as CSV.

    UTF-8 without a byte order mark, CRLF at the end of each record, quotes where needed. A null
    is an empty cell. A float32 has as many digits as it takes to read the same number back.

    Args:
        path: A temporary file.
        names: Column names.
        chunks: Parts of the table, in order.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([guarded(name) for name in names])
        for chunk in chunks:
            writer.writerows(zip(*(_cells(column) for column in chunk.columns), strict=True))


def _cells(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_string(column.type):
        return ["" if cell is None else guarded(cell) for cell in column.to_pylist()]
    if pa.types.is_list(column.type):
        return [guarded(SEPARATOR.join(labels)) for labels in column.to_pylist()]
    # Arrow writes the shortest text that reads back as the same float32, 20 times as fast as str.
    cells: list[str] = column.cast(pa.string()).to_pylist()
    return cells


class CsvSource:
    """A CSV file as ``read_table`` reads it; it says nothing beyond its columns."""

    record: Mapping[str, object] = {}

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = tuple(unguarded(cell) for cell in next(_records(path)))
        with path.open(encoding="utf-8-sig", newline="") as file:
            self._has_commas = _delimiter(file.readline()) != ","

    def count_rows(self) -> int:
        """Return the number of rows below the header."""
        return sum(1 for _ in _records(self._path)) - 1

    def chunks(self) -> Iterator["CsvChunk"]:
        """Yield the rows in parts.

        Raises:
            NotScoredDatasetError: A row has too many or too few cells, or the text is no CSV.
        """
        part: list[list[str]] = []
        for number, record in enumerate(_records(self._path)):
            if number == 0:
                continue
            self._check_length(number, record)
            part.append(record)
            if len(part) == ROWS_AT_A_TIME:
                yield CsvChunk(part, has_commas=self._has_commas)
                part = []
        if part:
            yield CsvChunk(part, has_commas=self._has_commas)

    def _check_length(self, number: int, record: Sequence[str]) -> None:
        if len(record) == len(self.names):
            return
        raise NotScoredDatasetError(
            f"Row {number} of {self._path} has {len(record)} cells, but the header has "
            f"{len(self.names)}.",
            hint="Cells that hold commas, quotes or line breaks must stand in quotes.",
            reason="ragged",
            details={"row": number},
        )


class CsvChunk:
    """Some rows of a CSV file.

    Args:
        records: The cells of each row.
        has_commas: Whether the decimal sign may be a comma, since none separates cells.
    """

    def __init__(self, records: Sequence[Sequence[str]], *, has_commas: bool = False) -> None:
        self._records = records
        self._has_commas = has_commas

    def text(self, column: int) -> pa.Array:
        """Return a column as text [R]; an empty cell is null."""
        cells = [unguarded(record[column]) or None for record in self._records]
        return pa.array(cells, pa.string())

    def sets(self, column: int) -> pa.ListArray:
        """Return a column of label sets as lists of text [R]."""
        return sets_of_text(self.text(column))

    def numbers(self, column: int) -> npt.NDArray[np.float32]:
        """Return a column as float32 [R]; an empty cell is NaN.

        Raises:
            BadCellError: A cell is no number.
        """
        cells = pa.array([self._number(record[column]) for record in self._records], pa.string())
        try:
            numbers: npt.NDArray[np.float32] = cells.cast(pa.float32()).to_numpy()
        except pa.ArrowInvalid:
            raise self._first_bad(column) from None
        return numbers

    def _first_bad(self, column: int) -> BadCellError:
        cells = [record[column] for record in self._records]
        row = next(row for row, cell in enumerate(cells) if not _is_number(self._number(cell)))
        return BadCellError(row, repr(cells[row]))

    def _number(self, cell: str) -> str:
        return (cell.replace(",", ".") if self._has_commas else cell) or "nan"


def _is_number(cell: str) -> bool:
    try:
        pa.array([cell]).cast(pa.float32())
    except pa.ArrowInvalid:
        return False
    return True


def _delimiter(header: str) -> str:
    """Return what separates cells: ``;`` or a tab where a spreadsheet saved the table so."""
    return next(
        (one for one in ";\t" if header.startswith((f"{FILE}{one}", f'"{FILE}"{one}'))), ","
    )


def _records(path: Path) -> Iterator[list[str]]:
    try:
        # Excel writes a byte order mark, which utf-8-sig takes off.
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(file.readline())
            file.seek(0)
            reader = csv.reader(file, strict=True, delimiter=delimiter)
            header = next(reader, None)
            if not header:
                raise NotScoredDatasetError(f"{path} is empty.", reason="empty")
            yield header
            yield from (record for record in reader if record)
    except (csv.Error, UnicodeDecodeError) as problem:
        raise NotScoredDatasetError(
            f"{path} is not CSV text in UTF-8: {problem}.",
            hint="Write the table with 'imageloom score', or save it as 'CSV UTF-8'.",
            reason="not-csv",
        ) from problem
