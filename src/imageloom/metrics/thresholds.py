"""What a threshold on the probability of a class would do: who is found, and how purely.

Legend: N pictures, K classes, T thresholds. Labels are positions in the class list, all known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from imageloom.metrics.probabilities import Probabilities
from imageloom.metrics.ratios import Floats, Ints

THRESHOLD_STEPS: Final = 100
"""Thresholds lie at 0, 1/100, ... 1."""

_ROWS_AT_A_TIME: Final = 8192


@dataclass(frozen=True, eq=False)
class ThresholdCurves:
    """For each class and threshold: the pictures whose probability of the class reaches it.

    A picture may reach the threshold of several classes, or of none.

    Attributes:
        thresholds_T: Ascending, from 0 to 1.
        found_KT: Pictures of the class that reach it.
        reached_KT: All pictures that reach it.
        support_K: Pictures of the class.
        precision_KT: Of the pictures that reach it, the fraction of the class; 0 where none does.
        recall_KT: Of the pictures of the class, the fraction that reaches it; 0 without any.
        f1_KT: Harmonic mean of the two, 0 where both are.
    """

    thresholds_T: Floats
    found_KT: Ints
    reached_KT: Ints
    support_K: Ints
    precision_KT: Floats
    recall_KT: Floats
    f1_KT: Floats


def threshold_curves(
    probabilities_NK: Probabilities, labels_N: Ints, *, steps: int = THRESHOLD_STEPS
) -> ThresholdCurves:
    """Count who reaches which threshold, each class against all others.

    A probability reaches a threshold that it equals, compared in float64, as scikit-learn's
    ``precision_recall_curve`` has it. Temporary memory does not grow with N.

    Args:
        probabilities_NK: 0 to 1.
        labels_N: Positions, all known.
        steps: Thresholds besides 0, at equal distances up to 1.
    """
    num_images, num_classes = probabilities_NK.shape
    thresholds_T = np.arange(steps + 1) / steps
    size = num_classes * (steps + 1)
    reached, found = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for start in range(0, num_images, _ROWS_AT_A_TIME):
        part_BK = probabilities_NK[start : start + _ROWS_AT_A_TIME].astype(np.float64)
        # Of a thousand classes nearly all probabilities reach the threshold 0 only.
        rows, classes = np.nonzero(part_BK >= thresholds_T[1])
        last = np.searchsorted(thresholds_T, part_BK[rows, classes], side="right") - 1
        cells = classes * (steps + 1) + last
        is_own = labels_N[start + rows] == classes
        reached += np.bincount(cells, minlength=size)
        found += np.bincount(cells[is_own], minlength=size)
    support_K = np.bincount(labels_N, minlength=num_classes).astype(np.int64)
    found_KT = _reaching(found, support_K, steps)
    reached_KT = _reaching(reached, np.full(num_classes, num_images), steps)
    support_KT = np.broadcast_to(support_K[:, None], found_KT.shape)
    return ThresholdCurves(
        thresholds_T=thresholds_T,
        found_KT=found_KT,
        reached_KT=reached_KT,
        support_K=support_K,
        precision_KT=_quotients(found_KT, reached_KT),
        recall_KT=_quotients(found_KT, support_KT),
        f1_KT=_quotients(2 * found_KT, reached_KT + support_KT),
    )


def _reaching(highest: Ints, all_K: Ints, steps: int) -> Ints:
    """Return how many reach each threshold, from how many reach it as their highest."""
    counts_KT: Ints = highest.reshape(-1, steps + 1)[:, ::-1].cumsum(axis=1)[:, ::-1].copy()
    counts_KT[:, 0] = all_K  # everything reaches 0
    return counts_KT


def _quotients(parts_KT: Ints, wholes_KT: Ints) -> Floats:
    quotients_KT: Floats = np.zeros(parts_KT.shape, dtype=np.float64)
    np.divide(parts_KT, wholes_KT, out=quotients_KT, where=wholes_KT > 0)
    return quotients_KT
