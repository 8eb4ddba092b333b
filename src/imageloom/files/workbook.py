"""Tables as a workbook (.xlsx) that spreadsheet programs open in any language.

A CSV file falls into one column where the decimal sign is a comma, and ``007`` becomes 7; here text
is text, never a formula, and numbers are numbers.

Source: ECMA-376, Office Open XML, part 1, section 18 (SpreadsheetML) and part 2 (packages).
"""

import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import escape

MAX_ROWS: Final = 1_048_576  # of a sheet, in Excel, its header among them
MAX_COLUMNS: Final = 16_384
_MAX_CHARS: Final = 32_767  # of a cell
_DAY: Final = (1980, 1, 1, 0, 0, 0)  # equal tables are equal files
_NOT_XML: Final = re.compile("[^\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOOKS_ESCAPED: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_LETTER_WIDTH: Final = 1.1  # of columns, counted in digits
_WIDEST: Final = 60

Cell = str | int | float | None
Style = Literal["plain", "percent"]
_STYLES: Final = {"plain": 0, "percent": 2}  # 1 is the header's


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
        path: A file in a directory that is being published.
        sheets: At least one, in the order of their tabs.

    Raises:
        OSError: It cannot be written.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in _about(sheets).items():
            package.writestr(_member(name), _HEAD + text)
        for number, sheet in enumerate(sheets, 1):
            with package.open(_member(f"xl/worksheets/sheet{number}.xml"), "w") as member:
                for part in _sheet(sheet):
                    member.write(part.encode("utf-8"))


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DAY)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _about(sheets: Sequence[Sheet]) -> dict[str, str]:
    """Return the parts that say what is in the package."""
    numbers = range(1, len(sheets) + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
        f'ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    tabs = "".join(
        f'<sheet name="{_attribute(sheet.name)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, sheet in zip(numbers, sheets, strict=True)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    styles = f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<sheets>{tabs}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}{styles}'
        "</Relationships>",
        "xl/styles.xml": _STYLE_SHEET,
    }


# Cells are plain (0), bold (1, the header) or percentages with one digit behind the sign (2).
_STYLE_SHEET: Final = (
    f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="0.0%"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def _sheet(sheet: Sheet) -> Iterator[str]:
    assert 0 < len(sheet.columns) <= MAX_COLUMNS
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    yield '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    yield "</sheetView></sheetViews><cols>"
    for number, column in enumerate(sheet.columns, 1):
        width = _LETTER_WIDTH * min(max(column.width, len(column.name)) + 2, _WIDEST)
        yield f'<col min="{number}" max="{number}" width="{width:.1f}" customWidth="1"/>'
    yield "</cols><sheetData>"
    yield _row(1, [_cell(column.name, 1) for column in sheet.columns])
    styles = [_STYLES[column.style] for column in sheet.columns]
    last = 1
    for last, cells in enumerate(sheet.rows, 2):
        assert last <= MAX_ROWS
        yield _row(last, map(_cell, cells, styles))
    yield f'</sheetData><autoFilter ref="A1:{_letters(len(sheet.columns))}{last}"/></worksheet>'


def _row(number: int, cells: Iterable[str]) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(value: Cell, style: int) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "<c/>"
    if isinstance(value, str):
        text = escape(_text(value))
        return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c s="{style}"><v>{value!r}</v></c>'


def _text(value: str) -> str:
    r"""Return what a cell can hold: characters that XML lacks as ``_x0001_``, as Excel has them."""
    kept = _LOOKS_ESCAPED.sub("_x005F_", value[:_MAX_CHARS])
    return _NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", kept)[:_MAX_CHARS]


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})


def _letters(number: int) -> str:
    """Return the name of a column, counted from 1: ``A``, ``Z``, ``AA``."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
