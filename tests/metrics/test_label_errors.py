import numpy as np
import pytest

from imageloom.metrics import suspicious_labels


def _noisy(seed, images=400, num_classes=5, wrong=0.1):
    """Return probabilities of an honest, unsure model, and labels of which some are wrong."""
    draw = np.random.default_rng(seed)
    true_N = draw.integers(0, num_classes, images)
    logits = draw.normal(0, 1, (images, num_classes)) + 3 * np.eye(num_classes)[true_N]
    odds = np.exp(logits)
    labels_N = np.where(draw.random(images) < wrong, draw.integers(0, num_classes, images), true_N)
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), labels_N


def _by_the_paper(probabilities, labels):
    """Equations 1 and 2 and method 2 of Northcutt et al. 2021, picture by picture."""
    classes = range(probabilities.shape[1])
    rows = [[float(p) for p in row] for row in probabilities]
    thresholds = {
        one: float(
            np.mean([row[one] for row, label in zip(rows, labels, strict=True) if label == one])
        )
        for one in classes
        if one in labels
    }
    found = {}
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        best = max(classes, key=lambda one: row[one])
        if best == label:
            continue
        reached = [one for one, least in thresholds.items() if row[one] >= least]
        guess = max(reached, key=lambda one: row[one], default=label)
        is_counted = guess != label
        found[number] = (not is_counted, row[label] - row[best], guess if is_counted else best)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_ranking_is_that_of_the_paper(seed):
    probabilities, labels = _noisy(seed)
    expected = _by_the_paper(probabilities, labels)
    found = suspicious_labels(probabilities, labels)
    assert len(expected) > 10
    assert found.rows_R.tolist() == sorted(expected, key=lambda row: expected[row][:2])
    for place, row in enumerate(found.rows_R.tolist()):
        assert found.is_counted_R[place] != expected[row][0]
        assert found.margins_R[place] == pytest.approx(expected[row][1])
        assert found.suggested_R[place] == expected[row][2]


@pytest.mark.parametrize("seed", range(5))
def test_the_ranking_is_that_of_the_authors_library(seed):
    cleanlab = pytest.importorskip("cleanlab", reason="the second implementation")
    from cleanlab.count import compute_confident_joint

    probabilities, labels = _noisy(seed)
    found = suspicious_labels(probabilities, labels)
    expected = cleanlab.filter.find_label_issues(
        labels,
        probabilities.astype(np.float64),
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    assert found.rows_R[found.is_counted_R].tolist() == expected.tolist()
    joint = compute_confident_joint(labels, probabilities.astype(np.float64), calibrate=False)
    assert found.joint_KK.tolist() == joint.tolist()


def test_right_labels_are_not_suspicious():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]], np.float32)
    found = suspicious_labels(probabilities, np.array([0, 0, 1, 1]))
    assert len(found.rows_R) == len(found.margins_R) == len(found.suggested_R) == 0


def test_nobody_is_counted_to_a_class_without_pictures():
    probabilities = np.array([[0.1, 0.1, 0.8], [0.9, 0.0, 0.1], [0.1, 0.9, 0.0]], np.float32)
    found = suspicious_labels(probabilities, np.array([0, 0, 1]))
    assert found.thresholds_K[2] == np.inf
    assert 2 not in found.suggested_R[found.is_counted_R]
    assert found.joint_KK[:, 2].sum() == 0


def test_without_pictures_nothing_is_suspicious():
    found = suspicious_labels(np.empty((0, 3), np.float32), np.empty(0, np.int64))
    assert found.rows_R.tolist() == []
    assert found.joint_KK.tolist() == [[0] * 3] * 3


def test_more_rows_than_are_looked_at_at_once_are_ranked_as_one():
    probabilities, labels = _noisy(1, images=9000, wrong=0.02)
    found = suspicious_labels(probabilities, labels)
    expected = _by_the_paper(probabilities, labels)
    assert found.rows_R.tolist() == sorted(expected, key=lambda row: expected[row][:2])


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_twenty_planted_label_errors_stand_among_the_first_forty(seed):
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    pixels, true = load_digits(return_X_y=True)
    draw = np.random.default_rng(seed)
    planted = draw.choice(len(true), 20, replace=False)
    labels = true.copy()
    labels[planted] = (true[planted] + draw.integers(1, 10, 20)) % 10
    model, folds = (
        KNeighborsClassifier(8, weights="distance"),
        StratifiedKFold(5, shuffle=True, random_state=0),
    )
    probabilities = cross_val_predict(model, pixels, labels, cv=folds, method="predict_proba")
    found = suspicious_labels(probabilities.astype(np.float32), labels)
    assert set(planted.tolist()) <= set(found.rows_R[:40].tolist())
