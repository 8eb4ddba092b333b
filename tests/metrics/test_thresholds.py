import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.metrics import class_figures, confusion_matrix, threshold_curves


def _made(seed, images, num_classes, decimals=None):
    odds = np.random.default_rng(seed).random((images, num_classes)) ** 3
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    if decimals is not None:
        probabilities = probabilities.round(decimals)
    labels = np.random.default_rng(seed + 1).integers(0, num_classes, images)
    return probabilities.astype(np.float32), labels


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    images=st.integers(1, 40),
    num_classes=st.integers(2, 6),
    decimals=st.sampled_from([None, 2]),
)
def test_precision_recall_and_f1_equal_scikit_learn(
    sklearn_metrics, seed, images, num_classes, decimals
):
    probabilities, labels = _made(seed, images, num_classes, decimals)
    curves = threshold_curves(probabilities, labels, steps=20)
    for place, threshold in enumerate(curves.thresholds_T):
        for one in range(num_classes):
            expected = sklearn_metrics.precision_recall_fscore_support(
                labels == one,
                probabilities[:, one].astype(np.float64) >= threshold,
                pos_label=True,
                average="binary",
                zero_division=0,
            )
            found = (curves.precision_KT, curves.recall_KT, curves.f1_KT)
            assert [f[one, place] for f in found] == pytest.approx(expected[:3])


def test_the_curve_passes_through_the_points_of_scikit_learn(sklearn_metrics):
    probabilities, labels = _made(5, 300, 3)
    on_grid = np.floor(probabilities.astype(np.float64) * 100) / 100
    curves = threshold_curves(on_grid, labels)
    for one in range(3):
        precision, recall, thresholds = sklearn_metrics.precision_recall_curve(
            labels == one, on_grid[:, one]
        )
        places = np.rint(thresholds * 100).astype(int)
        np.testing.assert_allclose(curves.precision_KT[one, places], precision[:-1])
        np.testing.assert_allclose(curves.recall_KT[one, places], recall[:-1])


def test_at_one_half_of_two_classes_it_is_the_confusion_matrix():
    probabilities, labels = _made(2, 200, 2)
    curves = threshold_curves(probabilities, labels)
    figures = class_figures(confusion_matrix(labels, probabilities.argmax(axis=1), num_classes=2))
    np.testing.assert_allclose(curves.precision_KT[:, 50], figures.precision_K)
    np.testing.assert_allclose(curves.recall_KT[:, 50], figures.recall_K)
    np.testing.assert_allclose(curves.f1_KT[:, 50], figures.f1_K)


def test_a_probability_reaches_the_threshold_that_it_equals():
    curves = threshold_curves(np.array([[0.5, 0.5]], np.float32), np.array([1]), steps=2)
    assert curves.reached_KT.tolist() == [[1, 1, 0], [1, 1, 0]]
    assert curves.found_KT.tolist() == [[0, 0, 0], [1, 1, 0]]


def test_classes_and_tables_without_pictures_count_as_zero():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curves = threshold_curves(np.empty((0, 3), np.float32), np.empty(0, np.int64))
        assert curves.precision_KT.sum() == curves.recall_KT.sum() == curves.f1_KT.sum() == 0


def test_more_rows_than_are_counted_at_once_are_counted_as_one():
    probabilities, labels = _made(7, 9000, 3)
    curves = threshold_curves(probabilities, labels)
    for place in (0, 1, 37, 100):
        reached = probabilities.astype(np.float64) >= curves.thresholds_T[place]
        assert curves.reached_KT[:, place].tolist() == reached.sum(axis=0).tolist()
