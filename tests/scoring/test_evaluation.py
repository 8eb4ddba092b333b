import json
import math

import numpy as np
import pytest

from imageloom.errors import NotExpectedLabelColumnError
from imageloom.scoring.evaluation import evaluate_table
from imageloom.scoring.params import EvaluateParams

from .made_tables import make_table, table_of

PETS = ("cat", "dog", "fox")


def evaluated(table, **params):
    return evaluate_table(table, params=EvaluateParams.parse(params), name="scores.csv")


def pets():
    return table_of(
        PETS,
        [
            ("1.jpg", "cat", "cat", 0.9),
            ("2.jpg", "cat", "dog", 0.8),
            ("3.jpg", "cat", "dog", 0.95),
            ("4.jpg", "dog", "dog", 0.7),
            ("5.jpg", "fox", "cat", 0.6),
            ("6.jpg", None, "fox", 0.99),
        ],
    )


def test_figures_equal_scikit_learn(sklearn_metrics):
    table = make_table(tuple("abcdefgh"), rows=300, seed=4)
    found = evaluated(table).summary()
    labels, predicted = table.labels_N, table.predicted_N
    probabilities = table.probabilities_NK
    for average in ("micro", "macro"):
        expected = sklearn_metrics.precision_recall_fscore_support(
            labels, predicted, labels=range(8), average=average, zero_division=0
        )
        for figure, value in zip(("Precision", "Recall", "F1"), expected, strict=False):
            assert found[f"{average.title()}_{figure}"] == pytest.approx(value)
    assert found["Overall_Accuracy"] == pytest.approx((labels == predicted).mean())
    assert found["Log_Loss"] == pytest.approx(
        sklearn_metrics.log_loss(labels, probabilities, labels=range(8)), rel=1e-5
    )
    assert found["Top_5_Accuracy"] == pytest.approx(
        sklearn_metrics.top_k_accuracy_score(labels, probabilities, k=5, labels=range(8))
    )


def test_names_of_the_figures_stay():
    assert list(evaluated(pets()).summary()) == [
        "Overall_Accuracy",
        "Micro_Precision",
        "Macro_Precision",
        "Micro_Recall",
        "Macro_Recall",
        "Micro_F1",
        "Macro_F1",
        "Top_5_Accuracy",
        "Log_Loss",
        "Expected_Calibration_Error",
    ]


def test_pictures_without_a_label_are_left_out_and_counted():
    found = evaluated(pets())
    assert (found.images, found.right) == (5, 2)
    assert "Pictures without a label, which are left out: 1 of 6." in found.notices


def test_a_class_without_pictures_is_told():
    table = table_of(PETS, [("1.jpg", "cat", "cat", 0.9)])
    assert "Classes without a picture here: 2 of 3 (dog, fox)." in evaluated(table).notices[0]


def test_files_that_stand_twice_are_told():
    table = table_of(("a", "b"), [("1", "a", "a", 0.9), ("1", "b", "b", 0.9)])
    assert evaluated(table).notices == (
        "Rows that repeat a file of another row: 1. Every row counts.",
    )


def test_a_table_without_labels_cannot_be_evaluated():
    table = table_of(PETS, [("1.jpg", None, "cat", 0.9)])
    with pytest.raises(NotExpectedLabelColumnError, match="None of the 1 scored pictures"):
        evaluated(table)


def test_mistakes_stand_by_how_sure_the_model_was():
    found = evaluated(pets(), mistakes=2).mistakes
    assert [(one.file, one.label, one.scored_label) for one in found] == [
        ("3.jpg", "cat", "dog"),
        ("2.jpg", "cat", "dog"),
    ]
    assert found[0].probability == pytest.approx(0.95)
    assert found[0].label_probability == pytest.approx(0.05)


def test_most_frequent_class_and_interval_put_the_accuracy_into_proportion():
    found = evaluated(pets())
    assert found.most_frequent_share == 3 / 5
    low, high = found.accuracy_interval
    assert low < 2 / 5 < high


def test_json_names_classes_and_leaves_out_empty_cells():
    content = json.loads(json.dumps(evaluated(pets()).to_json(), allow_nan=False))
    assert content["confusion_matrix"] == {
        "cat": {"cat": 1, "dog": 2},
        "dog": {"dog": 1},
        "fox": {"cat": 1},
    }
    assert content["per_class"][0] == {
        "class": "cat",
        "support": 3,
        "predicted": 2,
        "precision": 0.5,
        "recall": pytest.approx(1 / 3),
        "f1": pytest.approx(0.4),
    }
    assert content["most_confused_pairs"][0] == {
        "label": "cat",
        "scored_label": "dog",
        "images": 2,
        "fraction": pytest.approx(2 / 3),
    }
    assert len(content["calibration_bins"]) == 15


def test_c18_one_picture_among_ten_thousand_gives_finite_figures():
    rows = [(f"{n}.jpg", "a", "a", 0.99) for n in range(10_000)] + [("z.jpg", "b", "a", 0.99)]
    summary = evaluated(table_of(("a", "b"), rows)).summary()
    assert all(math.isfinite(value) for value in summary.values())
    assert summary["Macro_Recall"] == 0.5


def test_the_order_of_rows_does_not_change_the_figures():
    table = make_table(tuple("abcd"), rows=50, seed=9)
    order = np.random.default_rng(0).permutation(50)
    shuffled = type(table)(
        files=table.files.take(order),
        labels_N=table.labels_N[order],
        classes=table.classes,
        predicted_N=table.predicted_N[order],
        probabilities_NK=table.probabilities_NK[order],
    )
    assert evaluated(shuffled).summary() == pytest.approx(evaluated(table).summary())


def test_files_that_were_left_out_before_scoring_are_told_with_their_reasons():
    found = evaluated(make_table(left_out={"is empty": 2, "is an HTML page": 1}))
    assert "Left out, and in no figure: 3 files (2: is empty, 1: is an HTML page)." in found.notices
    content = found.to_json()
    assert (content["left_out"], content["left_out_reasons"]["is empty"]) == (3, 2)
