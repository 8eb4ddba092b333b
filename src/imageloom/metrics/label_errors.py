"""Labels that are probably wrong: confident learning on labels and probabilities.

Legend: N pictures, K classes, R pictures in doubt, B rows at a time. Labels are positions in the
class list, all known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.metrics.probabilities import Probabilities
from imageloom.metrics.ratios import Floats, Ints

_ROWS_AT_A_TIME: Final = 8192
# Of a class whose pictures all have one probability, rounding must not leave the mean above it.
_SLACK: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Suspicions:
    """Pictures whose most probable class is not their label, the most suspicious first.

    Attributes:
        rows_R: Rows of the pictures.
        suggested_R: The class that each is counted to, or else the most probable one.
        is_counted_R: Whether it is confidently counted to that class; these come first.
        margins_R: Probability of the label less that of the most probable class, -1 to 0; the order
            within each of the two kinds.
        thresholds_K: Mean probability that the pictures of a class have of it; infinite for a class
            without pictures.
        joint_KK: Pictures by label (row) and the class that they are confidently counted to
            (column); those that reach no threshold are in no cell.
    """

    rows_R: Ints
    suggested_R: Ints
    is_counted_R: npt.NDArray[np.bool_]
    margins_R: Floats
    thresholds_K: Floats
    joint_KK: Ints


def suspicious_labels(probabilities_NK: Probabilities, labels_N: Ints) -> Suspicions:
    """Rank pictures by how surely their label is wrong.

    A picture counts to the most probable of the classes whose threshold it reaches. Those that
    count to another class than their label come first: they are the label errors of confident
    learning. Then come the others whose label is not their most probable class, for a model that is
    unsure misses some errors. Temporary memory does not grow with N.

    Args:
        probabilities_NK: 0 to 1, by a model that has not learned from these pictures: from those it
            has learned from, it has learned the wrong labels too.
        labels_N: Positions, all known.

    Source:
        Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset
        Labels, equations 1 and 2 and method 2 of section 3.2; ranked by normalized margin. That a
        picture whose label is its most probable class is never suspicious is the rule of its
        authors' library, cleanlab. Where a picture reaches several thresholds we follow the
        equation, which takes the most probable of those classes; cleanlab takes the most probable
        of all classes.
    """
    num_classes = probabilities_NK.shape[1]
    thresholds_K = _thresholds(probabilities_NK, labels_N)
    joint_KK = np.zeros((num_classes, num_classes), dtype=np.int64)
    found = []
    for start in range(0, len(labels_N), _ROWS_AT_A_TIME):
        part_BK = probabilities_NK[start : start + _ROWS_AT_A_TIME].astype(np.float64)
        labels_B = labels_N[start : start + _ROWS_AT_A_TIME]
        counted_B, best_B = _counted_to(part_BK, thresholds_K), part_BK.argmax(axis=1)
        is_counted_B = counted_B >= 0
        np.add.at(joint_KK, (labels_B[is_counted_B], counted_B[is_counted_B]), 1)
        wrong = np.flatnonzero(best_B != labels_B)
        is_other = is_counted_B[wrong] & (counted_B[wrong] != labels_B[wrong])
        suggested = np.where(is_other, counted_B[wrong], best_B[wrong])
        margins = _margins(part_BK[wrong], labels_B[wrong], best_B[wrong])
        found.append((wrong + start, suggested, is_other, margins))
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0))
    rows_R, suggested_R, is_counted_R, margins_R = map(
        np.concatenate, zip(none, *found, strict=True)
    )
    # Stable, so that equally suspicious pictures stand in the order of the table.
    order = np.lexsort((margins_R, ~is_counted_R))
    return Suspicions(
        rows_R=rows_R[order],
        suggested_R=suggested_R[order],
        is_counted_R=is_counted_R[order],
        margins_R=margins_R[order],
        thresholds_K=thresholds_K,
        joint_KK=joint_KK,
    )


def _thresholds(probabilities_NK: Probabilities, labels_N: Ints) -> Floats:
    num_classes = probabilities_NK.shape[1]
    own_N = probabilities_NK[np.arange(len(labels_N)), labels_N].astype(np.float64)
    images_K = np.bincount(labels_N, minlength=num_classes)
    sums_K = np.bincount(labels_N, own_N, minlength=num_classes)
    means_K: Floats = np.full(num_classes, np.inf)
    np.divide(sums_K, images_K, out=means_K, where=images_K > 0)
    return means_K


def _counted_to(part_BK: Floats, thresholds_K: Floats) -> Ints:
    """Return the class that each picture is confidently counted to, -1 where none is."""
    reached_BK = np.where(part_BK >= thresholds_K - _SLACK, part_BK, -1.0)
    best_B = reached_BK.argmax(axis=1)
    is_reached_B = np.take_along_axis(reached_BK, best_B[:, None], axis=1)[:, 0] >= 0
    counted_B: Ints = np.where(is_reached_B, best_B, -1)
    return counted_B


def _margins(part_RK: Floats, labels_R: Ints, best_R: Ints) -> Floats:
    places_R = np.arange(len(labels_R))
    margins_R: Floats = part_RK[places_R, labels_R] - part_RK[places_R, best_R]
    return margins_R
