"""Figures of label sets; scikit-learn is the second implementation of every one."""

import math

import numpy as np
import pytest
import torch

from imageloom.metrics import (
    best_thresholds,
    joined_label_set_sums,
    label_figures,
    label_set_averages,
    label_set_sums,
    mean_known,
    precision_recall,
)

N, K = 257, 6


@pytest.fixture(params=["spread", "ties", "sure"])
def made(request):
    """Labels, probabilities and what thresholds give, some pictures without any label."""
    numbers = np.random.default_rng(5)
    labels_NK = numbers.random((N, K)) < np.array([0.5, 0.3, 0.2, 0.1, 0.05, 0.02])
    labels_NK[3, 5] = True
    raw = labels_NK * 0.3 + numbers.random((N, K)) * 0.7
    if request.param == "ties":
        raw = np.round(raw, 1)
    if request.param == "sure":
        raw = np.where(raw > 0.4, 1.0, 0.0)
    probabilities_NK = raw.astype(np.float32)
    return labels_NK, probabilities_NK, probabilities_NK >= 0.5


def test_figures_of_each_label_are_those_of_scikit_learn(made, sklearn_metrics):
    labels_NK, _, given_NK = made
    ours = label_figures(labels_NK, given_NK)
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        labels_NK, given_NK, zero_division=0
    )
    assert ours.precision_K == pytest.approx(precision, abs=1e-12)
    assert ours.recall_K == pytest.approx(recall, abs=1e-12)
    assert ours.f1_K == pytest.approx(f1, abs=1e-12)
    assert ours.support_K.tolist() == support.tolist()
    assert ours.predicted_K.tolist() == given_NK.sum(axis=0).tolist()


def test_averages_are_those_of_scikit_learn(made, sklearn_metrics):
    labels_NK, _, given_NK = made
    ours = label_set_averages(labels_NK, given_NK)
    for average in ("micro", "macro"):
        for name in ("precision", "recall", "f1"):
            theirs = getattr(sklearn_metrics, f"{name}_score")(
                labels_NK, given_NK, average=average, zero_division=0
            )
            assert getattr(ours, f"{average}_{name}") == pytest.approx(theirs, abs=1e-12)
    assert ours.samples_f1 == pytest.approx(
        sklearn_metrics.f1_score(labels_NK, given_NK, average="samples", zero_division=1),
        abs=1e-12,
    )
    assert ours.exact_match == sklearn_metrics.accuracy_score(labels_NK, given_NK)
    assert ours.hamming_loss == pytest.approx(sklearn_metrics.hamming_loss(labels_NK, given_NK))


def test_average_precision_and_roc_auc_are_those_of_scikit_learn(made, sklearn_metrics):
    labels_NK, probabilities_NK, _ = made
    curves = [precision_recall(labels_NK[:, k], probabilities_NK[:, k]) for k in range(K)]
    assert [one.average_precision for one in curves] == pytest.approx(
        sklearn_metrics.average_precision_score(labels_NK, probabilities_NK, average=None)
    )
    assert [one.roc_auc for one in curves] == pytest.approx(
        sklearn_metrics.roc_auc_score(labels_NK, probabilities_NK, average=None)
    )
    assert mean_known(np.array([one.average_precision for one in curves])) == pytest.approx(
        sklearn_metrics.average_precision_score(labels_NK, probabilities_NK, average="macro")
    )


def test_the_curve_is_that_of_scikit_learn(made, sklearn_metrics):
    labels_NK, probabilities_NK, _ = made
    ours = precision_recall(labels_NK[:, 1], probabilities_NK[:, 1])
    precision, recall, thresholds = sklearn_metrics.precision_recall_curve(
        labels_NK[:, 1], probabilities_NK[:, 1]
    )
    assert ours.thresholds_T == pytest.approx(thresholds[::-1])
    assert ours.precisions == pytest.approx(precision[-2::-1])
    assert ours.recalls == pytest.approx(recall[-2::-1])


def test_no_threshold_reaches_a_higher_f1_than_the_one_chosen(made, sklearn_metrics):
    labels_NK, probabilities_NK, _ = made
    chosen = best_thresholds(labels_NK, probabilities_NK)
    for k in range(K):

        def f1_at(threshold, k=k):
            given_N = probabilities_NK[:, k] >= threshold
            return sklearn_metrics.f1_score(labels_NK[:, k], given_N, zero_division=0)

        best = max(f1_at(one) for one in np.unique(probabilities_NK[:, k]))
        assert f1_at(chosen[k]) == pytest.approx(best, abs=1e-12)


def test_a_threshold_stands_half_way_between_two_probabilities_and_nearest_to_a_half():
    labels_NK = np.array([[True], [True], [False], [False]])
    probabilities_NK = np.array([[0.9], [0.7], [0.1], [0.0]], np.float32)
    assert best_thresholds(labels_NK, probabilities_NK) == pytest.approx([0.4])
    # Given to the first alone its F1 is 2 / 3, to all three 4 / 5.
    labels_N = np.array([True, False, True])
    curve = precision_recall(labels_N, np.array([0.9, 0.6, 0.2], np.float32))
    assert curve.best_threshold() == pytest.approx(0.1)


def test_a_label_that_no_picture_has_is_not_a_number_and_keeps_one_half():
    nobody = np.zeros((4, 1), dtype=bool)
    said = np.array([[0.9], [0.2], [0.2], [0.4]], np.float32)
    curve = precision_recall(nobody[:, 0], said[:, 0])
    assert math.isnan(curve.average_precision)
    assert math.isnan(curve.roc_auc)
    assert best_thresholds(nobody, said) == (0.5,)
    assert math.isnan(precision_recall(~nobody[:, 0], said[:, 0]).roc_auc)
    assert math.isnan(mean_known(np.array([math.nan])))


def test_pictures_without_labels_that_are_given_none_are_right():
    none = np.zeros((3, 2), dtype=bool)
    ours = label_set_averages(none, none)
    assert (ours.exact_match, ours.samples_f1, ours.hamming_loss) == (1.0, 1.0, 0.0)
    assert ours.micro_f1 == 0.0


def test_sums_are_the_same_to_the_last_bit_whatever_the_grouping(sklearn_metrics):
    numbers = torch.Generator().manual_seed(2)
    logits_NK = torch.randn(101, K, generator=numbers) * 4
    labels_NK = torch.rand(101, K, generator=numbers) < 0.3
    whole = label_set_sums(logits_NK, labels_NK)
    for sizes in ([101], [1] * 101, [64, 37]):
        parts = zip(logits_NK.split(sizes), labels_NK.split(sizes), strict=True)
        rows = [label_set_sums(*part).as_numbers() for part in parts]
        assert joined_label_set_sums(rows) == whole
    probabilities_NK = logits_NK.double().sigmoid().numpy()
    losses = [sklearn_metrics.log_loss(labels_NK[:, k], probabilities_NK[:, k]) for k in range(K)]
    assert whole.mean_loss == pytest.approx(sum(losses), abs=1e-7)
    given_NK = logits_NK.numpy() >= 0
    assert whole.exact_fraction == sklearn_metrics.accuracy_score(labels_NK.numpy(), given_NK)
    assert whole.micro_f1 == pytest.approx(
        sklearn_metrics.f1_score(labels_NK.numpy(), given_NK, average="micro")
    )
    assert math.isnan(joined_label_set_sums([]).mean_loss)
