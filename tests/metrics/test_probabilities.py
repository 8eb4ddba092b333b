import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.metrics import (
    LEAST_PROBABILITY,
    calibration,
    log_loss,
    places_of_labels,
    topk_accuracy,
    topk_correct,
)


def _probabilities(seed, images, num_classes, sharpness):
    logits = sharpness * np.random.default_rng(seed).standard_normal((images, num_classes))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


_CASES = given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 30),
    num_classes=st.integers(3, 10),
    sharpness=st.floats(0.1, 30),
)


@settings(deadline=None, max_examples=60)
@_CASES
def test_log_loss_equals_scikit_learn(sklearn_metrics, seed, images, num_classes, sharpness):
    probabilities = _probabilities(seed, images, num_classes, sharpness)
    labels = np.random.default_rng(seed).integers(0, num_classes, images)
    expected = sklearn_metrics.log_loss(labels, probabilities, labels=range(num_classes))
    assert log_loss(probabilities, labels) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(3, 10))
def test_top_two_accuracy_equals_scikit_learn_where_no_values_tie(
    sklearn_metrics, seed, images, num_classes
):
    generator = np.random.default_rng(seed)
    rows = np.tile(np.arange(num_classes, dtype=np.float32), (images, 1))
    probabilities = generator.permuted(rows, axis=1) / rows.sum(axis=1, keepdims=True)
    labels = generator.integers(0, num_classes, images)
    expected = sklearn_metrics.top_k_accuracy_score(
        labels, probabilities, k=2, labels=range(num_classes)
    )
    assert topk_accuracy(probabilities, labels, 2) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_places_agree_with_the_count_of_tensors_also_where_values_tie(seed, k):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 3, (20, 4)).astype(np.float32)
    scores[generator.random((20, 4)) < 0.1] = np.nan
    labels = generator.integers(0, 4, 20)
    found = int((places_of_labels(scores, labels) < min(k, 4)).sum())
    assert found == int(topk_correct(torch.tensor(scores), torch.tensor(labels), k))


def test_places_do_not_depend_on_how_many_rows_are_worked_at_a_time():
    scores = np.random.default_rng(1).random((20_000, 3), dtype=np.float32)
    labels = np.arange(20_000) % 3
    expected = (np.argsort(-scores, axis=1) == labels[:, None]).argmax(axis=1)
    np.testing.assert_array_equal(places_of_labels(scores, labels), expected)


def test_a_certain_mistake_costs_a_finite_loss():
    loss = log_loss(np.array([[1.0, 0.0]], dtype=np.float32), np.array([1]))
    assert loss == pytest.approx(-math.log(LEAST_PROBABILITY))
    assert loss == pytest.approx(15.942385)


def test_without_pictures_loss_and_accuracy_are_zero():
    nothing = np.empty((0, 3), dtype=np.float32), np.empty(0, dtype=np.int64)
    assert log_loss(*nothing) == topk_accuracy(*nothing, 5) == 0.0


def test_top_five_of_two_classes_is_everything():
    assert topk_accuracy(np.array([[0.9, 0.1]]), np.array([1]), 5) == 1.0


def test_calibration_error_of_a_hand_computed_example():
    # Bins of width 1/15. 0.95 and 0.97 share the last bin: mean 0.96, half right, gap 0.46.
    # 0.50 and 0.52 share (7/15, 8/15]: mean 0.51, all right, gap 0.49. 0.30 alone: wrong, gap 0.3.
    confidence = np.array([0.95, 0.97, 0.50, 0.52, 0.30])
    correct = np.array([True, False, True, True, False])
    found = calibration(confidence, correct)
    assert found.error == pytest.approx((2 * 0.46 + 2 * 0.49 + 1 * 0.30) / 5)
    assert [(index, one.images) for index, one in enumerate(found.bins) if one.images] == [
        (4, 1),
        (7, 2),
        (14, 2),
    ]
    assert found.bins[14].mean_confidence == pytest.approx(0.96)
    assert found.bins[14].accuracy == 0.5


def test_a_bin_holds_its_upper_edge_and_zero_belongs_to_the_first():
    found = calibration(np.array([0.0, 0.5, 1.0]), np.array([True] * 3), num_bins=2)
    assert [one.images for one in found.bins] == [2, 1]


def test_a_model_as_sure_as_it_is_right_has_no_calibration_error():
    found = calibration(np.full(10, 0.8), np.array([True] * 8 + [False] * 2))
    assert found.error == pytest.approx(0.0, abs=1e-12)


def test_calibration_without_pictures_is_zero_and_empty():
    found = calibration(np.empty(0), np.empty(0, dtype=bool))
    assert found.error == 0.0
    assert sum(one.images for one in found.bins) == 0
