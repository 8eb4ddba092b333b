"""The table of faults names tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = (TESTS / "faults" / "README.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TABLE)))
ROWS = ["H01", "H02", "H04", "H05", "H06", "H07", "H08", "H09", "H12", "H13", "H14"]
ROWS += [f"I{number:02d}" for number in range(6, 16)]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_the_table_names_is_there(file, name):
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test(row):
    (line,) = [line for line in TABLE.splitlines() if line.startswith(f"| {row} |")]
    assert ".py::test_" in line
