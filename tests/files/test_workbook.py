"""Workbooks hold what they are given, as a reader of the standard sees them."""

import gc
import warnings
import zipfile
from xml.etree import ElementTree

import pytest
from workbooks import MAIN, read_workbook

from imageloom.files.workbook import Sheet, SheetColumn, write_workbook

TEXTS = [
    "007",
    "=1+1",
    "K\u00e4fer",
    " a ",
    "<b>&amp;",
    "a\nb",
    "\x01",
    "_x0041_",
    "",
    "\U0001f41d",
]


def test_text_stays_text_and_numbers_stay_numbers(tmp_path):
    numbers = [0, -3, 1e-300, 0.1, 123456789012, float("nan"), None]
    sheets = [
        Sheet("Texts", [SheetColumn("text")], [[one] for one in TEXTS]),
        Sheet('A "sheet" & more', [SheetColumn("n", "percent")], [[one] for one in numbers]),
    ]
    write_workbook(tmp_path / "a.xlsx", sheets)
    found = read_workbook(tmp_path / "a.xlsx")
    assert found["Texts"] == [["text"], *([one] for one in TEXTS)]
    assert found['A "sheet" & more'] == [
        ["n"],
        *([one] for one in (0, -3, 1e-300, 0.1, 123456789012, None, None)),
    ]


def test_half_a_character_stands_as_its_number(tmp_path):
    write_workbook(tmp_path / "a.xlsx", [Sheet("S", [SheetColumn("x")], [["a\ud800"]])])
    assert read_workbook(tmp_path / "a.xlsx")["S"][1] == ["a\\ud800"]


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    (tmp_path / "a.xlsx").mkdir()
    with warnings.catch_warnings():
        # The rows that were begun are closed when they are collected.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(IsADirectoryError):
            write_workbook(tmp_path / "a.xlsx", [Sheet("S", [SheetColumn("x")], [["a"]])])
        gc.collect()


def test_equal_tables_are_equal_files_byte_for_byte(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, [Sheet("S", [SheetColumn("x")], [[1], ["a"]])])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize(("columns", "last"), [(1, "A"), (26, "Z"), (27, "AA"), (703, "AAA")])
def test_the_filter_reaches_the_last_column_and_row(tmp_path, columns, last):
    rows = [[1] * columns, [2] * columns]
    sheet = Sheet("S", [SheetColumn(f"c{n}") for n in range(columns)], rows)
    write_workbook(tmp_path / "a.xlsx", [sheet])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as package:
        part = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
    assert part.find(f"{MAIN}autoFilter").get("ref") == f"A1:{last}3"


def test_a_cell_holds_no_more_than_excel_takes(tmp_path):
    write_workbook(tmp_path / "a.xlsx", [Sheet("S", [SheetColumn("x")], [["y" * 40_000]])])
    assert read_workbook(tmp_path / "a.xlsx")["S"][1] == ["y" * 32_767]
