"""Text tables: what separates their values, whether the first line is a header, and their rows."""

import csv
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.data.names import LIST_SUFFIX, promised_format
from imageloom.data.sources.table.text_lines import bad_line, text_lines
from imageloom.errors import InvalidDatasetError
from imageloom.system.wording import count

_DELIMITERS: Final[tuple[str, ...]] = (",", ";", "\t", "|")
_BLANK: Final[str] = " "
_FILE_FIRST: Final = re.compile(r"(.*?\.[A-Za-z]{3,4})(?=\s|$)(.*)")  # 'my photo.jpg 3'
_SEPARATOR: Final = re.compile(r'"?sep=(.)\1*"?\s*', re.IGNORECASE)  # Excel's first line; no row
_TOO_LONG: Final = "field larger"  # how messages of the csv module begin
_OPEN: Final = "unexpected end"

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Table:
    """How a text table is read.

    Attributes:
        path: The file.
        delimiter: One character between values.
        has_header: Whether the first line names the columns, and is no row already.
        first_row: Values of the first line that is not blank, without outer white space.
        is_padded: Whether a blank follows each delimiter, as in ``file, label``.
    """

    path: Path
    delimiter: str
    has_header: bool
    first_row: tuple[str, ...]
    is_padded: bool

    def rows(self) -> Iterator[Row]:
        """Read the file anew and yield the rows behind the header, as ``_records`` does."""
        records = _records(self.path, self.delimiter, is_padded=self.is_padded)
        if self.has_header:
            next(records, None)
        yield from records


def open_table(path: Path, root: Path, file_column: str) -> Table:
    """Find out how a table is read, from its first line.

    Spreadsheets write ``;`` where ``,`` is the decimal sign, so the line itself says what
    separates; or the line ``sep=;`` before it, as in Excel. A line that begins with a picture is a
    row; any other names the columns.

    Args:
        path: The file.
        root: Where file names start from.
        file_column: The column of the files, if there is a header.

    Raises:
        InvalidDatasetError: It is no text, or its first line is damaged.
    """
    lines = (line for line in text_lines(path) if line.strip())
    first = next(lines, "")
    told = _SEPARATOR.fullmatch(first)
    first = next(lines, "") if told else first
    delimiter = told[1] if told else _delimiter(first, path.suffix.lower(), file_column)
    is_padded = f"{delimiter} " in first
    _, values = next(_records(path, delimiter, is_padded=is_padded), (0, []))
    values = [value.strip() for value in values]
    is_row = file_column not in values and bool(values) and _is_picture(values[0], root)
    return Table(path, delimiter, not is_row, tuple(values), is_padded)


def _delimiter(line: str, suffix: str, file_column: str) -> str:
    if suffix == ".tsv":
        return "\t"

    def fitness(delimiter: str) -> tuple[bool, int]:
        values = _split(line, delimiter)
        starts_well = file_column in values or _is_picture_name(values[0] if values else "")
        return starts_well, len(values)

    known = (*_DELIMITERS, _BLANK) if suffix == LIST_SUFFIX else _DELIMITERS
    return max(known, key=fitness)


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter == _BLANK:
        return _at_blanks(line)
    try:
        return [value.strip() for value in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:  # whoever reads the line as a record says what is wrong
        return []


def _at_blanks(line: str) -> list[str]:
    """Split a line at blanks, but not inside a picture's name at its start."""
    found = _FILE_FIRST.fullmatch(line.strip())
    if found and _is_picture_name(found[1]):
        return [found[1], *found[2].split()]
    return line.split()


def _is_picture(name: str, root: Path) -> bool:
    # pathlib raises for a name that is too long.
    return _is_picture_name(name) or (bool(name) and os.path.isfile(root / name))  # noqa: PTH113


def _is_picture_name(name: str) -> bool:
    return promised_format(os.fsencode(name)) is not None


def _records(path: Path, delimiter: str, *, is_padded: bool) -> Iterator[Row]:
    """Yield the number of a record's first line and its values; rows without any are passed over.

    Raises:
        InvalidDatasetError: A quote does not close, or text follows the quote that closes.
    """
    lines = _rows_of(text_lines(path))
    if delimiter == _BLANK:
        records: Iterable[Row] = ((at, _at_blanks(line)) for at, line in enumerate(lines, 1))
    else:
        records = _csv_records(path, lines, delimiter, is_padded=is_padded)
    for number, values in records:
        if any(map(str.strip, values)):  # spreadsheets export empty rows as delimiters alone
            yield number, values


def _rows_of(lines: Iterator[str]) -> Iterator[str]:
    """Yield all lines, and a blank one for that which only says what separates values."""
    first = next(lines, "")
    yield "\n" if _SEPARATOR.fullmatch(first) else first
    yield from lines


def _csv_records(
    path: Path, lines: Iterator[str], delimiter: str, *, is_padded: bool
) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=is_padded)
    number = 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise _bad_record(path, number, reader.line_num, str(problem)) from problem
        yield number, values
        number = reader.line_num + 1


def _bad_record(path: Path, first: int, last: int, problem: str) -> InvalidDatasetError:
    if problem.startswith(_TOO_LONG) and last == first:
        return bad_line(
            path, first, f"has a value of more than {csv.field_size_limit():,} characters"
        )
    if problem.startswith((_OPEN, _TOO_LONG)):
        what = "a quote opens here and never closes"
    elif last > first:
        lines = count(last - first, "line")
        what = f"a quote opens here and closes {lines} below, with text right behind it"
    else:
        what = "a quote closes with text right behind it"
    return bad_line(
        path,
        first,
        what,
        hint='Close the quote; one inside a quoted value is written twice, as in "5"" screen".',
    )
