"""The workbook of an evaluation holds what the figures say, and the wrong pictures first."""

import pytest
from workbooks import read_workbook

from imageloom.reports.evaluate_to import evaluate_to
from imageloom.scoring.evaluation_workbook import write_evaluation_workbook
from imageloom.scoring.params import EvaluateParams

from .made_tables import make_table, table_of

QUIET = EvaluateParams(thumbnails=False)
ROWS = [
    ("1.jpg", "007", "007", 0.9),
    ("2.jpg", "007", "b\u00fc", 0.6),
    ("=3.jpg", "b\u00fc", "007", 0.75),
    ("4.jpg", "007", "b\u00fc", 0.8),
    ("5.jpg", None, "007", 0.9),
]


def test_the_workbook_has_classes_pairs_matrix_and_pictures(tmp_path):
    outcome = evaluate_to(table_of(("007", "b\u00fc"), ROWS), tmp_path / "out", params=QUIET)
    sheets = read_workbook(tmp_path / "out/evaluation.xlsx")
    assert list(sheets) == ["Figures", "Classes", "Confused", "Matrix", "Pictures"]
    assert sheets["Figures"][1:3] == [["Images", 4], ["Overall_Accuracy", 0.25]]
    assert dict(sheets["Figures"][2:]) == pytest.approx(outcome.summary(), rel=1e-15)  # of Excel
    assert [row[:3] for row in sheets["Classes"]] == [
        ["class", "support", "predicted"],
        ["007", 3, 2],
        ["b\u00fc", 1, 2],
    ]
    assert sheets["Confused"] == [
        ["label", "scored label", "pictures", "share of the label"],
        ["007", "b\u00fc", 2, 2 / 3],
        ["b\u00fc", "007", 1, 1],
    ]
    assert sheets["Matrix"] == [["label", "007", "b\u00fc"], ["007", 1, 2], ["b\u00fc", 1, 0]]


def test_wrong_pictures_come_first_and_the_surest_of_them_before_others(tmp_path):
    evaluate_to(table_of(("007", "b\u00fc"), ROWS), tmp_path / "out", params=QUIET)
    head, *rows = read_workbook(tmp_path / "out/evaluation.xlsx")["Pictures"]
    assert head == [
        *("file", "label", "scored label", "right"),
        *("probability", "probability of the label"),
    ]
    assert [row[:4] for row in rows] == [
        ["4.jpg", "007", "b\u00fc", "no"],
        ["=3.jpg", "b\u00fc", "007", "no"],
        ["2.jpg", "007", "b\u00fc", "no"],
        ["1.jpg", "007", "007", "yes"],
    ]
    assert [round(row[4], 6) for row in rows] == [0.8, 0.75, 0.6, 0.9]
    assert [round(row[5], 6) for row in rows] == [0.2, 0.25, 0.4, 0.9]


def test_a_comparison_has_a_workbook_of_each_table(tmp_path):
    tables = make_table(rows=9), make_table(rows=9, seed=2)
    found = evaluate_to(tables[0], tmp_path / "out", other=tables[1], params=QUIET)
    for name, one in (("evaluation.xlsx", found.left), ("other_evaluation.xlsx", found.right)):
        sheets = read_workbook(tmp_path / "out" / name)
        assert dict(sheets["Figures"][2:]) == pytest.approx(one.summary(), rel=1e-15)
        assert [row[0] for row in sheets["Classes"][1:]] == list(one.classes)


def test_hundreds_of_classes_have_no_matrix_that_nobody_could_read(tmp_path):
    classes = tuple(f"c{number:03}" for number in range(201))
    table = table_of(classes, [("1", "c000", "c200", 0.9)])
    outcome = evaluate_to(table, tmp_path / "out", params=QUIET)
    write_evaluation_workbook(tmp_path / "one.xlsx", outcome, table)
    sheets = read_workbook(tmp_path / "one.xlsx")
    assert list(sheets) == ["Figures", "Classes", "Confused", "Pictures"]
    assert sheets["Confused"][1:] == [["c000", "c200", 1, 1]]
