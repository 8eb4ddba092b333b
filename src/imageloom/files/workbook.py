"""Tables as a workbook (.xlsx) that spreadsheet programs open in any language.

A CSV file falls into one column where the decimal sign is a comma, and ``007`` becomes 7; here text
is text, never a formula, and numbers are numbers.

Source: ECMA-376, Office Open XML, part 1, section 18 (SpreadsheetML); written by XlsxWriter.
"""

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

MAX_ROWS: Final = 1_048_576  # of a sheet, in Excel, its header among them
MAX_COLUMNS: Final = 16_384
_MAX_CHARS: Final = 32_767  # of a cell
_LETTER_WIDTH: Final = 1.1  # of columns, counted in digits
_WIDEST: Final = 60
_OPTIONS: Final = {"constant_memory": True}  # a row is written when the next one begins
_WHEN: Final = datetime.datetime(1980, 1, 1)

Cell = str | int | float | None
Style = Literal["plain", "percent"]


@dataclass(frozen=True)
class SheetColumn:
    """A column of a sheet.

    Attributes:
        name: In the header.
        style: How numbers are shown; ``percent`` takes fractions.
        width: In letters.
    """

    name: str
    style: Style = "plain"
    width: int = 12


@dataclass(frozen=True)
class Sheet:
    r"""A table of a workbook, with a header that stays in view and can filter.

    Attributes:
        name: At most 31 characters, none of ``[]:*?/\``.
        columns: At most ``MAX_COLUMNS``.
        rows: One cell for each column; at most ``MAX_ROWS - 1``.
    """

    name: str
    columns: Sequence[SheetColumn]
    rows: Iterable[Sequence[Cell]]


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write a workbook.

    Args:
        path: A file in a directory that is being published; rows wait beside it meanwhile.
        sheets: At least one, in the order of their tabs.

    Raises:
        OSError: It cannot be written.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    book = Workbook(path, _OPTIONS | {"tmpdir": str(path.parent)})
    book.set_properties({"created": _WHEN})
    styles = {
        "header": book.add_format({"bold": True}),
        "plain": None,
        "percent": book.add_format({"num_format": "0.0%"}),
    }
    for sheet in sheets:
        _write_sheet(book.add_worksheet(sheet.name), sheet, styles)
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from error


def _write_sheet(target: "Worksheet", sheet: Sheet, styles: dict[str, Any]) -> None:
    assert 0 < len(sheet.columns) <= MAX_COLUMNS
    target.freeze_panes(1, 0)
    for at, column in enumerate(sheet.columns):
        width = _LETTER_WIDTH * min(max(column.width, len(column.name)) + 2, _WIDEST)
        target.set_column(at, at, width)
        target.write_string(0, at, _text(column.name), styles["header"])
    last = 0
    for last, cells in enumerate(sheet.rows, 1):
        assert last < MAX_ROWS
        for at, (value, column) in enumerate(zip(cells, sheet.columns, strict=True)):
            if isinstance(value, str):
                target.write_string(last, at, _text(value))
            elif value is not None and math.isfinite(value):
                target.write_number(last, at, value, styles[column.style])
    target.autofilter(0, 0, last, len(sheet.columns) - 1)


def _text(value: str) -> str:
    """Return what a cell can hold, with half a character as its number."""
    return value[:_MAX_CHARS].encode("utf-8", "backslashreplace").decode()[:_MAX_CHARS]
