import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.metrics import (
    accuracy,
    averages,
    class_figures,
    confused_pairs,
    confusion_matrix,
)


@st.composite
def _predictions(draw):
    num_classes = draw(st.integers(2, 9))
    pictures = st.lists(
        st.tuples(st.integers(0, num_classes - 1), st.integers(0, num_classes - 1)),
        min_size=1,
        max_size=40,
    )
    labels, predicted = np.array(draw(pictures), dtype=np.int64).T
    return num_classes, labels, predicted


@settings(deadline=None, max_examples=60)
@given(_predictions())
def test_confusion_matrix_equals_scikit_learn(sklearn_metrics, case):
    num_classes, labels, predicted = case
    expected = sklearn_metrics.confusion_matrix(labels, predicted, labels=range(num_classes))
    found = confusion_matrix(labels, predicted, num_classes=num_classes)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=60)
@given(_predictions())
def test_figures_of_each_class_equal_scikit_learn(sklearn_metrics, case):
    num_classes, labels, predicted = case
    expected = sklearn_metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(num_classes), zero_division=0
    )
    figures = class_figures(confusion_matrix(labels, predicted, num_classes=num_classes))
    found = (figures.precision_K, figures.recall_K, figures.f1_K, figures.support_K)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(_predictions())
def test_averages_equal_scikit_learn(sklearn_metrics, case):
    num_classes, labels, predicted = case
    found = averages(confusion_matrix(labels, predicted, num_classes=num_classes)).to_json()
    expected = {"Overall_Accuracy": sklearn_metrics.accuracy_score(labels, predicted)}
    for average in ("micro", "macro"):
        figures = sklearn_metrics.precision_recall_fscore_support(
            labels, predicted, labels=range(num_classes), average=average, zero_division=0
        )
        names = [f"{average.title()}_{name}" for name in ("Precision", "Recall", "F1")]
        expected |= dict(zip(names, figures, strict=False))
    assert found == pytest.approx(expected, abs=1e-12)
    assert accuracy(labels, predicted) == pytest.approx(expected["Overall_Accuracy"], abs=1e-12)


def test_rows_of_the_confusion_matrix_are_labels():
    found = confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 1]), num_classes=2)
    np.testing.assert_array_equal(found, [[0, 2], [0, 1]])


def test_c18_one_rare_class_among_ten_thousand_pictures_has_defined_figures():
    labels = np.array([0] * 10_000 + [1])
    found = averages(confusion_matrix(labels, np.zeros_like(labels), num_classes=2))
    assert found.overall_accuracy == pytest.approx(10_000 / 10_001)
    assert found.macro_recall == 0.5
    assert found.macro_precision == pytest.approx(10_000 / 10_001 / 2)


def test_one_picture_and_a_class_without_any_have_defined_figures():
    confusion = confusion_matrix(np.array([1]), np.array([1]), num_classes=3)
    assert averages(confusion).macro_f1 == pytest.approx(1 / 3)
    assert class_figures(confusion).recall_K.tolist() == [0.0, 1.0, 0.0]


def test_no_pictures_at_all_give_zeros():
    confusion = confusion_matrix(np.array([], int), np.array([], int), num_classes=2)
    assert set(averages(confusion).to_json().values()) == {0.0}
    assert accuracy(np.array([], int), np.array([], int)) == 0.0


def test_most_confused_pairs_come_first_and_ties_follow_the_class_list():
    confusion = np.array([[50, 2, 3], [2, 9, 0], [7, 0, 1]])
    pairs = confused_pairs(confusion, most=3)
    assert [(pair.label, pair.predicted, pair.images) for pair in pairs] == [
        (2, 0, 7),
        (0, 2, 3),
        (0, 1, 2),
    ]
    assert pairs[0].fraction == 7 / 8


def test_pairs_of_a_perfect_model_are_none():
    assert confused_pairs(np.diag([3, 4]), most=5) == ()
