import json

import pytest

from imageloom.errors import (
    GreaterThanError,
    NotExpectedLabelColumnError,
    NotScoredDatasetError,
)
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.scoring.evaluate import evaluate
from imageloom.scoring.label_errors import find_label_errors
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.file import write_table

from .made_tables import make_table, table_of

QUIET = EvaluateParams(thumbnails=False)
ROWS = [
    ("a/1.png", "ant", "ant", 0.9),
    ("a/2.png", "ant", "ant", 0.8),
    ("a/3.png", "ant", "bee", 0.95),
    ("b/1.png", "bee", "bee", 0.9),
    ("b/2.png", "bee", "bee", 0.7),
    ("c/1.png", None, "bee", 0.99),
    ("b/3.png", "bee", "ant", 0.99),
]


def test_the_most_suspicious_come_first_with_what_the_model_thinks(tmp_path):
    write_table(table_of(("ant", "bee"), ROWS), tmp_path / "scores.csv")
    found = find_label_errors(tmp_path / "scores.csv")
    assert (found.images, found.suspicious) == (6, 2)  # a picture without a label is not one
    first, second = found.listed
    assert first.is_suspicious
    assert (first.row, first.file, first.label, first.suggested_label) == (
        6,
        "b/3.png",
        "bee",
        "ant",
    )
    assert first.suggested_probability == pytest.approx(0.99)
    assert first.label_probability == pytest.approx(0.01)
    assert second.file == "a/3.png"
    assert [one.file for one in find_label_errors(tmp_path / "scores.csv", most=1).listed] == [
        "b/3.png"
    ]


def test_it_says_that_the_pictures_must_be_new_to_the_model():
    (notice,) = find_label_errors(table_of(("ant", "bee"), ROWS)).notices
    assert "has not learned from" in notice


def test_pictures_that_the_model_learned_from_are_counted(make_pictures):
    images = make_pictures(per_class=2, classes=("red", "blue"))
    rows = [(images.file(row), "red" if row < 2 else "blue", "red", 0.9) for row in range(3)]
    rows.append(("blue/new.png", "blue", "blue", 0.9))
    table = table_of(("red", "blue"), rows, root=images.root)
    found = find_label_errors(table, training=images)
    assert found.learned == 3
    assert "learned from 3 of the 4 pictures" in found.notices[0]
    others = table_of(("red", "blue"), rows[3:], root=images.root)
    assert find_label_errors(others, training=images).notices == ()
    moved = table_of(("red", "blue"), rows, root=images.root / "elsewhere")
    assert find_label_errors(moved, training=images).learned == 0


def test_tables_in_which_nothing_can_be_wrong_are_refused():
    with pytest.raises(NotExpectedLabelColumnError, match="None of the 3 scored pictures"):
        find_label_errors(make_table(files=["a", "b", "c"], labels=[None] * 3))
    with pytest.raises(NotScoredDatasetError, match="no rows"):
        find_label_errors(make_table(rows=0))
    with pytest.raises(GreaterThanError, match="most is 0"):
        find_label_errors(make_table(rows=3), most=0)


def test_an_evaluation_lists_them_for_programs_and_people(tmp_path):
    table = table_of(("ant", "bee"), ROWS)
    evaluate_to(table, tmp_path / "out", params=QUIET)
    content = json.loads((tmp_path / "out/evaluation.json").read_text())
    found = content["evaluations"][0]["possible_label_errors"]
    assert (found["suspicious"], found["images"]) == (2, 6)
    assert [one["file"] for one in found["listed"]] == ["b/3.png", "a/3.png"]
    report = (tmp_path / "out/report.html").read_text()
    assert "Possible label errors" in report
    assert "The labels of 2 pictures of 6 are" in report
    assert report.index("b/3.png") < report.rindex("a/3.png")
    few = evaluate(table, params=EvaluateParams(label_errors=1))
    assert len(few.label_errors.listed) == 1
    assert few.label_errors.suspicious == 2


def test_an_evaluation_holds_the_counts_at_each_threshold(tmp_path):
    evaluate_to(table_of(("ant", "bee"), ROWS), tmp_path / "out", params=QUIET)
    content = json.loads((tmp_path / "out/thresholds.json").read_text())
    assert content["images"] == 6
    assert content["thresholds"][:2] == [0.0, 0.01]
    ant = content["classes"][0]
    assert (ant["class"], ant["support"]) == ("ant", 3)
    at = content["thresholds"].index(0.85)
    assert (ant["found"][at], ant["reached"][at]) == (1, 2)  # 0.9 is an ant, 0.99 is none
    assert (ant["found"][0], ant["reached"][0]) == (3, 6)
