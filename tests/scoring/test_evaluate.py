import csv
import json

import pytest
from PIL import Image

from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToWriteOutputsError,
    NotScoredDatasetError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Notice
from imageloom.files.publish import verify_directory
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.scoring.evaluate import compare, evaluate
from imageloom.scoring.evaluation import Evaluation
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.file import write_table

from .made_tables import make_table, table_of

QUIET = EvaluateParams(thumbnails=False)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_table_is_evaluated_from_its_file_as_from_memory(tmp_path):
    table = make_table(rows=40)
    write_table(table, tmp_path / "scores.parquet")
    found = evaluate(tmp_path / "scores.parquet")
    assert found.summary() == evaluate(table).summary()
    assert found.name == "scores.parquet"


def test_two_files_of_one_name_are_told_apart_by_their_folder(tmp_path):
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        write_table(make_table(rows=9), tmp_path / run / "scores.csv")
    found = compare(tmp_path / "first/scores.csv", str(tmp_path / "second/scores.csv"))
    assert (found.left.name, found.right.name) == ("first/scores.csv", "second/scores.csv")


def test_the_folder_holds_figures_for_programs_and_a_report_for_people(tmp_path):
    outcome = evaluate_to(make_table(rows=40), tmp_path / "evaluation", params=QUIET)
    assert isinstance(outcome, Evaluation)
    names = {
        "evaluation.json",
        "evaluation.xlsx",
        "per_class.csv",
        "confusion_matrix.csv",
        "pictures.sqlite",
        "thresholds.json",
        "report.html",
    }
    assert set(verify_directory(tmp_path / "evaluation", AssertionError)) == names
    content = json.loads((tmp_path / "evaluation/evaluation.json").read_text())
    assert content["rows"] == [{"name": "scores", **outcome.summary()}]
    assert content["evaluations"][0]["images"] == 40


def test_csv_files_hold_the_evaluation(tmp_path):
    table = table_of(("=a", "b"), [("1", "=a", "=a", 0.9), ("2", "=a", "b", 0.9)])
    evaluate_to(table, tmp_path / "out", params=QUIET)
    assert read_csv(tmp_path / "out/confusion_matrix.csv") == [
        ["label", "'=a", "b"],  # no formula: S24
        ["'=a", "1", "1"],
        ["b", "0", "0"],
    ]
    head, first, _ = read_csv(tmp_path / "out/per_class.csv")
    assert head == ["class", "support", "predicted", "precision", "recall", "f1"]
    assert first[:5] == ["'=a", "2", "1", "1.0", "0.5"]


def test_two_tables_give_two_rows_the_first_one_first(tmp_path):
    left, right = make_table(rows=30, seed=1), make_table(rows=30, seed=2)
    evaluate_to(left, tmp_path / "out", other=right, params=QUIET)
    content = json.loads((tmp_path / "out/evaluation.json").read_text())
    accuracies = [row["Overall_Accuracy"] for row in content["rows"]]
    assert accuracies == [left.accuracy, right.accuracy]
    assert content["comparison"]["images_in_both"] == 30
    assert (tmp_path / "out/other_per_class.csv").is_file()
    assert (tmp_path / "out/other_confusion_matrix.csv").is_file()


def test_tables_can_be_named_by_the_caller(tmp_path):
    left, right = make_table(rows=30, seed=1), make_table(rows=30, seed=2)
    evaluate_to(left, tmp_path / "out", other=right, params=QUIET, names=("left", "right"))
    content = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert [row["name"] for row in content["rows"]] == ["left", "right"]


def test_what_limits_the_figures_is_told(tmp_path):
    table = table_of(("a", "b"), [("1", "a", "a", 0.9), ("2", None, "a", 0.9)])
    events = []
    evaluate_to(table, tmp_path / "out", params=QUIET, on_event=events.append)
    assert events[0] == Notice("warning", "Pictures without a label, which are left out: 1 of 2.")


def test_an_existing_folder_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").touch()
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        evaluate_to(tmp_path / "no-such-table.csv", tmp_path / "out")


def test_pictures_of_a_csv_table_are_found_in_the_folder_that_is_given(tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "pictures" / "1.png")
    write_table(table_of(("a", "b"), [("1.png", "a", "b", 0.9)]), tmp_path / "s.csv")
    params = EvaluateParams(images=str(tmp_path / "pictures"))
    evaluate_to(tmp_path / "s.csv", tmp_path / "out", params=params)
    assert "data:image/png;base64," in (tmp_path / "out/report.html").read_text()


def test_a_folder_of_pictures_that_is_not_there_is_named(tmp_path):
    params = EvaluateParams(images=str(tmp_path / "gone"))
    with pytest.raises(CouldNotOpenFileError, match=r"no folder .*gone"):
        evaluate_to(make_table(), tmp_path / "out", params=params)


def test_a_cancelled_evaluation_publishes_nothing(tmp_path):
    cancel = CancelToken()
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match=r"Ctrl\+C"):
        evaluate_to(make_table(), tmp_path / "out", cancel=cancel)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_without_rows_is_an_error_and_not_0_percent(tmp_path, suffix):
    empty = tmp_path / f"scores{suffix}"
    write_table(make_table(rows=0), empty)
    full = make_table(rows=5)
    message = rf"The score table scores\{suffix} has no rows"
    with pytest.raises(NotScoredDatasetError, match=message) as caught:
        evaluate(empty)
    assert caught.value.reason == "no-rows"
    with pytest.raises(NotScoredDatasetError, match="has no rows"):
        compare(full, empty)
    with pytest.raises(NotScoredDatasetError, match="has no rows"):
        evaluate_to(empty, tmp_path / "evaluation")
    assert not (tmp_path / "evaluation").exists()
