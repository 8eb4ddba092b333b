"""Scores of pictures that may have several labels each: written, read back, refused, evaluated."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_label_sets import label_set_pictures

from imageloom.errors import (
    ImageloomError,
    InvalidDatasetError,
    NotExpectedLabelColumnError,
    NotScoredDatasetError,
)
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.run_report.evaluation_figures import _evaluations_in
from imageloom.scoring.evaluate import compare, evaluate
from imageloom.scoring.explain.explain import explain
from imageloom.scoring.label_errors import find_label_errors
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.predict import predict
from imageloom.scoring.score import score
from imageloom.scoring.tables.file import check_place, read_any_table, read_table, write_table
from imageloom.scoring.tables.label_set_table import LabelSetTable, given_labels

from .made_models import colour_model, real_model

THRESHOLDS = (0.3, 0.5, 0.8)
CLASSES = ("NA", "=cat", "007")


def make_table(count=40, classes=CLASSES, *, is_labelled=True, **more):
    numbers = np.random.default_rng(3)
    labels_NK = numbers.random((count, 3)) < (0.6, 0.3, 0.2)
    labels_NK[0] = False
    raw = (labels_NK * 0.4 + numbers.random((count, 3)) * 0.6).astype(np.float32)
    return LabelSetTable(
        files=pa.array([f"{row}.png" for row in range(count)]),
        labels_NK=labels_NK if is_labelled else None,
        classes=classes,
        predicted_NK=given_labels(raw, THRESHOLDS),
        probabilities_NK=raw,
        thresholds=THRESHOLDS,
        **more,
    )


def assert_equal(found, table):
    assert found.files.to_pylist() == table.files.to_pylist()
    assert found.classes == table.classes
    assert np.array_equal(found.predicted_NK, table.predicted_NK)
    assert np.array_equal(found.probabilities_NK, table.probabilities_NK)
    assert np.array_equal(found.labels_NK, table.labels_NK)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_reads_back_exactly(tmp_path, suffix):
    table = make_table(model_digest="abc", left_out={"is empty": 2})
    write_table(table, tmp_path / f"t{suffix}")
    check_place(tmp_path / f"t{suffix}")  # and may be replaced
    found = read_any_table(tmp_path / f"t{suffix}")
    assert_equal(found, table)
    if suffix == ".parquet":
        assert (found.thresholds, found.model_digest) == (THRESHOLDS, "abc")
        assert found.left_out == {"is empty": 2}


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_without_known_labels_has_no_column_for_them(tmp_path, suffix):
    table = make_table(is_labelled=False)
    write_table(table, tmp_path / f"t{suffix}")
    found = read_any_table(tmp_path / f"t{suffix}")
    assert found.labels_NK is None
    with pytest.raises(NotExpectedLabelColumnError, match="Nothing says which labels the 40"):
        evaluate(found)


def test_others_read_the_lists(tmp_path):
    table = make_table()
    write_table(table, tmp_path / "t.parquet")
    names = pq.read_table(tmp_path / "t.parquet").column("labels").to_pylist()
    assert names[0] == []
    for row, found in enumerate(names):
        assert found == [CLASSES[label] for label in np.flatnonzero(table.labels_NK[row])]


def test_a_name_with_the_separator_goes_into_parquet_and_not_into_csv(tmp_path):
    table = make_table(classes=("a|b", "c", "d"))
    write_table(table, tmp_path / "t.parquet")
    assert_equal(read_any_table(tmp_path / "t.parquet"), table)
    with pytest.raises(NotScoredDatasetError, match=r"The label 'a\|b' holds '\|'"):
        write_table(table, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize(
    ("old", "new", "error", "told"),
    [
        ("0.5", "1.5", NotScoredDatasetError, "holds 1.5, but a probability lies between"),
        ("a|b,a,", "a|x,a,", NotExpectedLabelColumnError, r"Row 1 .*'labels' holds 'x'"),
        ("a|b,a,", "a|b,y,", NotScoredDatasetError, "column 'Scored Label Set' holds 'y'"),
        ("a|b,a,", "a|b,,", NotScoredDatasetError, "gives the label 'a' at probability 0.4"),
        ("Scored Label Set", "Scored", NotScoredDatasetError, "lacks 'Scored Labels'"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_by_its_place(tmp_path, old, new, error, told):
    text = (
        "file,labels,Scored Label Set,Scored Probabilities_a,Scored Probabilities_b\n"
        "1.png,a|b,a,0.9,0.5\n2.png,,,0.1,0.2\n3.png,a,a,0.4,0.1\n"
    )
    (tmp_path / "t.csv").write_text(text)
    assert len(read_any_table(tmp_path / "t.csv")) == 3
    (tmp_path / "t.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(error, match=told):
        read_any_table(tmp_path / "t.csv")


def test_thresholds_that_are_none_are_refused(tmp_path):
    write_table(make_table(), tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    for bad in ([0.5], [0.5, 2.0, 0.1], "x"):
        metadata = {b"imageloom": json.dumps({"label_thresholds": bad}).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "t.parquet")
        with pytest.raises(NotScoredDatasetError, match="thresholds as"):
            read_any_table(tmp_path / "t.parquet")


def test_what_needs_one_label_says_so(tmp_path):
    write_table(make_table(), tmp_path / "t.parquet")
    for refused in (
        lambda: read_table(tmp_path / "t.parquet"),
        lambda: compare(tmp_path / "t.parquet", tmp_path / "t.parquet", names=("A", "B")),
        lambda: find_label_errors(tmp_path / "t.parquet"),
    ):
        with pytest.raises(
            NotScoredDatasetError, match=r"may have several labels each, of 3.* yet"
        ):
            refused()


def test_an_evaluation_holds_the_figures_of_scikit_learn(tmp_path, sklearn_metrics):
    table = make_table()
    found = evaluate_to(table, tmp_path / "out", params=EvaluateParams(thumbnails=False))
    truth, said, given = table.labels_NK, table.probabilities_NK, table.predicted_NK
    theirs = {
        "Mean_Average_Precision": sklearn_metrics.average_precision_score(truth, said),
        "Macro_ROC_AUC": sklearn_metrics.roc_auc_score(truth, said),
        "Micro_F1": sklearn_metrics.f1_score(truth, given, average="micro"),
        "Macro_F1": sklearn_metrics.f1_score(truth, given, average="macro"),
        "Samples_F1": sklearn_metrics.f1_score(truth, given, average="samples", zero_division=1),
        "Micro_Precision": sklearn_metrics.precision_score(truth, given, average="micro"),
        "Macro_Precision": sklearn_metrics.precision_score(truth, given, average="macro"),
        "Micro_Recall": sklearn_metrics.recall_score(truth, given, average="micro"),
        "Macro_Recall": sklearn_metrics.recall_score(truth, given, average="macro"),
        "Exact_Match": sklearn_metrics.accuracy_score(truth, given),
        "Hamming_Loss": sklearn_metrics.hamming_loss(truth, given),
        "Log_Loss": sum(
            sklearn_metrics.log_loss(truth[:, k], said[:, k].astype(np.float64)) for k in range(3)
        ),
    }
    assert found.summary() == pytest.approx(theirs, abs=1e-9)
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert content["rows"][0] == {"name": "scores", **found.summary()}
    files = sorted(one.name for one in (tmp_path / "out").iterdir() if one.suffix != ".json")
    assert files == ["evaluation.xlsx", "per_class.csv", "report.html"]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert report.count('<svg class="chart"') == 3
    [kept] = _evaluations_in(tmp_path / "out" / "evaluation.json", "run", "node")
    assert kept.figures.accuracy == found.averages.exact_match
    assert kept.figures.low < kept.figures.accuracy < kept.figures.high


def test_a_label_that_no_picture_has_is_told_and_has_no_average_precision(tmp_path):
    table = make_table()
    table.labels_NK[:, 2] = False
    table.labels_NK[:, 0] = True
    found = evaluate_to(table, tmp_path / "out", params=EvaluateParams(thumbnails=False))
    rows = {row["class"]: row for row in found.per_class()}
    assert rows["007"]["average_precision"] is None
    assert (rows["NA"]["average_precision"], rows["NA"]["roc_auc"]) == (1.0, None)
    assert "Labels that no picture has here: 1 of 3 (007)" in found.notices[0]
    assert "Labels that every picture has here: 1 of 3 (NA)" in found.notices[1]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return label_set_pictures(tmp_path_factory.mktemp("sets"), 12)


def test_each_label_has_a_probability_of_its_own(pictures):
    model = colour_model(label_thresholds=(0.9, 0.9, 0.9))
    table = score(model, pictures)
    means_NK = np.array(
        [one.mean(axis=(0, 1)) / 255 for one in map(_pixels, map(pictures.path, range(12)))]
    )
    expected_NK = 1 / (1 + np.exp(-10 * means_NK))
    assert table.probabilities_NK == pytest.approx(expected_NK, abs=0.01)
    assert np.array_equal(table.predicted_NK, table.probabilities_NK >= 0.9)
    names = ("blue", "green", "red")  # the pictures' classes, in another order than the model's
    truth = {name: pictures.label_sets[:, names.index(name)].tolist() for name in names}
    assert {name: table.labels_NK[:, k].tolist() for k, name in enumerate(model.classes)} == truth


def _pixels(path):
    from PIL import Image

    return np.asarray(Image.open(path.decode()).resize((32, 32), Image.Resampling.BILINEAR))


def test_kinds_of_labels_that_differ_are_refused(pictures, make_pictures):
    one = make_pictures(per_class=1)
    several = colour_model(label_thresholds=THRESHOLDS)
    with pytest.raises(InvalidDatasetError, match="have one label each, but the model gives any"):
        score(several, one)
    assert score(several, one.without_labels()).labels_NK is None
    with pytest.raises(InvalidDatasetError, match="a model that gives one class needs one class"):
        score(colour_model(), pictures)


def test_labels_above_their_threshold_are_predicted(pictures, tmp_path):
    model = colour_model(label_thresholds=(0.0, 1.0, 0.0))
    [found] = predict(model, [pictures.path(0).decode()])
    assert sorted(found.labels) == ["blue", "red"]
    assert found.to_json()["labels"] == list(found.labels)
    assert sum(found.probabilities) > 1.2
    assert "labels" not in predict(colour_model(), [pictures.path(0).decode()])[0].to_json()


def test_one_label_can_be_explained_where_there_are_several(pictures, tmp_path):
    model = real_model()
    object.__setattr__(model, "label_thresholds", (0.0, 0.0, 0.0))
    [found] = explain(model, [pictures.path(0).decode()], tmp_path / "maps", of_class="green")
    assert found.explained == "green"
    assert len(found.prediction.labels) == 3


def test_every_error_is_one_of_ours(tmp_path):
    (tmp_path / "t.csv").write_text("file,Scored Label Set,Scored Probabilities_a\n1.png,a\n")
    with pytest.raises(ImageloomError, match="has 2 cells, but the header has 3"):
        read_any_table(tmp_path / "t.csv")


def test_a_report_counts_pictures_without_a_label_among_the_pictures(tmp_path):
    evaluate_to(make_table(), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '<th scope="row">pictures</th><td><bdi>40</bdi></td>' in page
    assert "pictures with a label" not in page
