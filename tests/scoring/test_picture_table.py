"""A cell of the confusion matrix opens exactly its pictures."""

import json
import sqlite3
import subprocess
import sys

import pytest

from imageloom.errors import NotScoredDatasetError, RunInterruptedError, UnknownNameError
from imageloom.events import CancelToken
from imageloom.files.publish import verify_directory
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.picture_table import write_pictures
from imageloom.scoring.read_pictures import about_pictures, read_pictures

from .made_tables import make_table, table_of

CLASSES = ("ant", "bee", "O'Brien's \"cat\"", "007")
QUIET = EvaluateParams(thumbnails=False)


@pytest.fixture(scope="module")
def table():
    labels = [(*CLASSES, None)[row % 5] for row in range(400)]
    return make_table(CLASSES, labels=labels, rows=400)


@pytest.fixture(scope="module")
def evaluation(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated") / "evaluation"
    evaluate_to(table, out, params=QUIET)
    return out


def counted(table, *, label=..., scored=..., correct=None):
    """Return the rows that fit, counted from the scored table in plain Python."""
    return [
        row
        for row, (is_label, is_scored) in enumerate(
            zip(table.labels, table.scored_labels, strict=True)
        )
        if label in (..., is_label)
        and scored in (..., is_scored)
        and (correct is None or (is_label is not None and correct == (is_label == is_scored)))
    ]


def test_each_cell_holds_as_many_pictures_as_the_matrix_and_the_same_as_the_table(
    table, evaluation
):
    content = json.loads((evaluation / "evaluation.json").read_text(encoding="utf-8"))
    matrix = content["evaluations"][0]["confusion_matrix"]
    seen = 0
    for label in CLASSES:
        for scored in CLASSES:
            rows, total = read_pictures(
                evaluation / "pictures.sqlite", label=label, scored=scored, order="row"
            )
            assert total == len(rows) == matrix[label].get(scored, 0)
            assert [one.row for one in rows] == counted(table, label=label, scored=scored)
            assert {one.correct for one in rows} <= {label == scored}
            seen += total
    assert seen == content["evaluations"][0]["images"] == 320


def test_a_row_says_what_the_table_says(table, evaluation):
    rows, total = read_pictures(evaluation / "pictures.sqlite", order="row", limit=1000)
    assert total == len(rows) == len(table)
    for row, one in enumerate(rows):
        known = table.labels[row] is not None
        assert (one.row, one.file) == (row, f"{row}.jpg")
        assert (one.label, one.scored_label) == (table.labels[row], table.scored_labels[row])
        assert one.probability == table.probabilities_NK[row].max()
        assert one.correct == (one.label == one.scored_label if known else None)
        position = table.labels_N[row]
        assert one.label_probability == (table.probabilities_NK[row, position] if known else None)


@pytest.mark.parametrize("correct", [True, False])
def test_right_and_wrong_ones_are_told_apart_without_those_that_have_no_label(
    table, evaluation, correct
):
    rows, total = read_pictures(
        evaluation / "pictures.sqlite", correct=correct, order="row", limit=1000
    )
    assert [one.row for one in rows] == counted(table, correct=correct)
    assert total == len(rows)


def test_one_class_is_asked_for_by_what_it_is_or_by_what_it_was_taken_for(table, evaluation):
    file = evaluation / "pictures.sqlite"
    for question in ({"label": "007"}, {"scored": "bee"}, {"label": "bee", "correct": False}):
        rows, _ = read_pictures(file, **question, order="row", limit=1000)
        assert [one.row for one in rows] == counted(table, **question)


def test_pages_in_the_order_of_confidence_join_to_all_rows(table, evaluation):
    sure = table.probabilities_NK.max(axis=1)
    expected = sorted(range(len(table)), key=lambda row: (-sure[row], row))
    found = []
    for offset in range(0, 500, 37):
        rows, total = read_pictures(evaluation / "pictures.sqlite", offset=offset, limit=37)
        found += [one.row for one in rows]
        assert total == 400
    assert found == expected
    rows, _ = read_pictures(evaluation / "pictures.sqlite", order="doubt", limit=5)
    assert [one.row for one in rows] == sorted(range(400), key=lambda row: (sure[row], row))[:5]


def test_equally_sure_ones_stand_in_the_order_of_the_table(tmp_path):
    rows = [(f"{number}.png", "ant", "bee", 0.75) for number in range(5)]
    write_pictures(table_of(("ant", "bee"), rows), tmp_path / "p", root=None, cancel=CancelToken())
    for order in ("confidence", "doubt"):
        found, _ = read_pictures(tmp_path / "p", order=order)
        assert [one.row for one in found] == [0, 1, 2, 3, 4]


def test_a_question_of_a_page_is_answered_from_an_index(evaluation):
    with sqlite3.connect(evaluation / "pictures.sqlite") as file:
        for where, index in [
            ("label = 1 AND scored = 2", "by_cell"),
            ("label = 1", "by_label"),
            ("scored = 1", "by_scored"),
            ("correct = 0", "by_correct"),
            ("1", "by_probability"),
        ]:
            order = "ORDER BY probability DESC, row"
            plan = file.execute(
                f"EXPLAIN QUERY PLAN SELECT file FROM pictures WHERE {where} {order}"
            )
            assert index in plan.fetchone()[-1]
    file.close()


def test_the_place_of_the_pictures_is_told(tmp_path):
    table = make_table(rows=3, root=tmp_path / "pictures")
    evaluate_to(table, tmp_path / "out", params=QUIET)
    about = about_pictures(tmp_path / "out/pictures.sqlite")
    assert (about.root, about.classes, about.images) == (
        str(tmp_path / "pictures"),
        ("ant", "bee"),
        3,
    )


def test_of_two_tables_each_has_its_pictures(tmp_path):
    one, other = make_table(rows=30), make_table(rows=20, seed=7)
    evaluate_to(one, tmp_path / "out", other=other, params=QUIET)
    for name, table in (("pictures.sqlite", one), ("other_pictures.sqlite", other)):
        rows, _ = read_pictures(tmp_path / "out" / name, correct=False, order="row")
        assert [row.row for row in rows] == counted(table, correct=False)


def test_reading_leaves_the_folder_as_it_is_and_needs_no_right_to_write(evaluation):
    folder = evaluation
    folder.chmod(0o500)
    try:
        read_pictures(folder / "pictures.sqlite", label="ant")
    finally:
        folder.chmod(0o700)
    assert "pictures.sqlite" in verify_directory(folder, AssertionError)  # bytes, and nothing else


def test_equal_tables_make_equal_files(table, tmp_path):
    for name in ("one", "two"):
        write_pictures(table, tmp_path / name, root=tmp_path, cancel=CancelToken())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_unknown_class_is_named_with_the_nearest(evaluation):
    with pytest.raises(UnknownNameError, match="no class called 'aunt'") as caught:
        read_pictures(evaluation / "pictures.sqlite", label="aunt")
    assert "Did you mean ant?" in caught.value.hint


def test_what_was_stopped_raises(table, tmp_path):
    cancel = CancelToken()
    cancel.set("a test")
    with pytest.raises(RunInterruptedError, match="Stopped by a test"):
        write_pictures(table, tmp_path / "p", root=None, cancel=cancel)


def damage_nothing_there(file):
    file.unlink()


def damage_half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def damage_text(file):
    file.write_text("not a database, and longer than a header of one hundred bytes " * 9)


def change(*statements):
    def damage(file):
        with sqlite3.connect(file) as opened:
            for statement in statements:
                opened.execute(statement)
        opened.close()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        damage_nothing_there,
        damage_half,
        damage_text,
        change("UPDATE about SET value = '2' WHERE key = 'format_version'"),
        change("DELETE FROM about"),
        change("DROP TABLE classes"),
        change("DELETE FROM classes"),
        change("UPDATE pictures SET probability = 'x'"),
        change("UPDATE pictures SET label = 99 WHERE label IS NOT NULL"),
        change("UPDATE pictures SET scored = x'ff'"),
        change(
            "ALTER TABLE pictures RENAME TO others",
            "CREATE VIEW pictures AS WITH RECURSIVE n(row) AS (SELECT 1 UNION ALL SELECT row + 1 "
            "FROM n) SELECT row, '' AS file, 0 AS label, 0 AS scored, 1 AS probability, 1 AS "
            "label_probability, 1 AS correct FROM n",
        ),
        change("CREATE TRIGGER t INSERT ON about BEGIN SELECT 1; END"),
    ],
)
def test_s07_a_file_of_a_stranger_is_refused_with_its_name(table, tmp_path, damage):
    file = tmp_path / "pictures.sqlite"
    write_pictures(table, file, root=None, cancel=CancelToken())
    damage(file)
    with pytest.raises(NotScoredDatasetError, match=r"pictures\.sqlite does not hold"):
        read_pictures(file, limit=1000)


def test_it_is_read_by_the_standard_library_only():
    code = (
        "import sys, imageloom.scoring.read_pictures\n"
        "print([one for one in ('numpy', 'pyarrow', 'torch', 'PIL') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
