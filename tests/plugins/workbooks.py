"""Workbooks (.xlsx) read by the letters of the standard, with nothing of the writer's own code."""

import re
import zipfile
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_workbook(path):
    """Return the cells of each sheet by its name, as rows of text, numbers and None."""
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        parts = {name: ElementTree.fromstring(package.read(name)) for name in package.namelist()}
    targets = {one.get("Id"): one.get("Target") for one in parts["xl/_rels/workbook.xml.rels"]}
    sheets = {}
    for sheet in parts["xl/workbook.xml"].find(f"{MAIN}sheets"):
        part = parts[f"xl/{targets[sheet.get(RELATION)]}"]
        sheets[sheet.get("name")] = rows_of(part)
    return sheets


def rows_of(part):
    """Place each cell where its reference says; one that is absent is empty."""
    last = part.find(f"{MAIN}autoFilter").get("ref").rpartition(":")[2]
    width, height = place_of(last)
    rows = [[None] * (width + 1) for _ in range(height + 1)]
    for cell in part.iter(f"{MAIN}c"):
        column, row = place_of(cell.get("r"))
        rows[row][column] = cell_of(cell)
    return rows


def place_of(reference):
    """Return column and row of a reference such as ``AB12``, counted from 0."""
    letters, digits = re.fullmatch("([A-Z]+)([0-9]+)", reference).groups()
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1, int(digits) - 1


def cell_of(cell):
    if cell.get("t") == "inlineStr":
        text = cell.find(f"{MAIN}is/{MAIN}t").text or ""
        return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)
    value = cell.find(f"{MAIN}v")
    return None if value is None else float(value.text)
