"""Figures of pictures that may have several labels each, or none.

Legend: N pictures, K labels, T thresholds. Quotients with a zero denominator are 0, as elsewhere; a
figure that has no meaning without pictures of both kinds (with the label, without it) is NaN.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.metrics.figures import ClassFigures, figures_of_counts
from imageloom.metrics.probabilities import LEAST_PROBABILITY
from imageloom.metrics.ratios import Floats, ratio, ratios

Sets = npt.NDArray[np.bool_]
Probabilities = npt.NDArray[np.float32]
USUAL_THRESHOLD: Final = 0.5


def label_figures(labels_NK: Sets, predicted_NK: Sets) -> ClassFigures:
    """Return precision, recall and F1 of each label.

    Args:
        labels_NK: Which labels each picture has.
        predicted_NK: Which it was given.
    """
    return figures_of_counts(
        (labels_NK & predicted_NK).sum(axis=0, dtype=np.int64),
        support_K=labels_NK.sum(axis=0, dtype=np.int64),
        predicted_K=predicted_NK.sum(axis=0, dtype=np.int64),
    )


@dataclass(frozen=True)
class LabelSetAverages:
    """One number each for all labels, all 0 to 1.

    Micro averages count every label of every picture alike, macro averages every label, the average
    over samples every picture.

    Attributes:
        exact_match: Fraction of pictures that were given all of their labels and no other, also
            known as subset accuracy.
        hamming_loss: Fraction of all decisions, one for each picture and label, that are wrong.
        samples_f1: Mean of each picture's F1; 1 for one that has no label and was given none.
    """

    exact_match: float
    hamming_loss: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    samples_f1: float


def label_set_averages(labels_NK: Sets, predicted_NK: Sets) -> LabelSetAverages:
    """Return the averages over labels, pictures and both; 0 without pictures.

    Source:
        The same figures are scikit-learn's, with ``zero_division=0``, and 1 for ``samples_f1``:
        nothing expected and nothing found is right.
    """
    figures = label_figures(labels_NK, predicted_NK)
    right_NK = labels_NK & predicted_NK
    right, given = int(right_NK.sum()), int(figures.predicted_K.sum())
    expected, num_pictures = int(figures.support_K.sum()), len(labels_NK)
    both_N = labels_NK.sum(axis=1) + predicted_NK.sum(axis=1)
    f1_N = np.where(both_N == 0, 1.0, ratios(2 * right_NK.sum(axis=1), both_N))
    wrong = int((labels_NK != predicted_NK).sum())
    return LabelSetAverages(
        exact_match=ratio(int((labels_NK == predicted_NK).all(axis=1).sum()), num_pictures),
        hamming_loss=ratio(wrong, labels_NK.size),
        micro_precision=ratio(right, given),
        micro_recall=ratio(right, expected),
        micro_f1=ratio(2 * right, given + expected),
        macro_precision=float(figures.precision_K.mean()),
        macro_recall=float(figures.recall_K.mean()),
        macro_f1=float(figures.f1_K.mean()),
        samples_f1=float(f1_N.mean()) if num_pictures else 0.0,
    )


def label_set_log_loss(labels_NK: Sets, probabilities_NK: Probabilities) -> float:
    """Return the mean over pictures of -log(probability of what is true of each label), summed.

    In nats; NaN without pictures. Probabilities below ``LEAST_PROBABILITY`` count as that, as in
    ``log_loss``.
    """
    if len(labels_NK) == 0:
        return float("nan")
    given_NK = probabilities_NK.astype(np.float64)
    true_NK = np.where(labels_NK, given_NK, 1.0 - given_NK)
    return float(-np.log(true_NK.clip(LEAST_PROBABILITY, 1.0)).sum(axis=1).mean())


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """What each threshold on one label's probability would do, the highest first.

    Attributes:
        thresholds_T: float64, the distinct probabilities; pictures at or above one are given the
            label.
        found_T: int64, pictures with the label at or above it.
        reached_T: int64, pictures at or above it.
        support: Pictures with the label.
    """

    thresholds_T: Floats
    found_T: npt.NDArray[np.int64]
    reached_T: npt.NDArray[np.int64]
    support: int

    @property
    def precisions(self) -> Floats:
        """Of the pictures at or above each threshold, the fraction with the label."""
        return self.found_T / self.reached_T

    @property
    def recalls(self) -> Floats:
        """Of the pictures with the label, the fraction at or above; 0 without any."""
        return self.found_T / max(1, self.support)

    @property
    def average_precision(self) -> float:
        """Mean precision over the pictures with the label; NaN without any.

        It is the area under the curve as steps, without interpolation, as scikit-learn computes it;
        that gives 0 where no picture has the label.
        """
        if self.support == 0:
            return float("nan")
        gains_T = np.diff(self.recalls, prepend=0.0)
        return float((gains_T * self.precisions).sum())

    @property
    def roc_auc(self) -> float:
        """Chance that a picture with the label has a higher probability than one without.

        Ties count half. NaN where all pictures have the label, or none.

        Source:
            Hanley and McNeil 1982: the area under the ROC curve is this chance.
        """
        found_T = np.diff(self.found_T, prepend=0)
        others_T = np.diff(self.reached_T, prepend=0) - found_T
        num_others = int(others_T.sum())
        if self.support == 0 or num_others == 0:
            return float("nan")
        lower_T = num_others - np.cumsum(others_T)
        wins = (found_T * (lower_T + others_T / 2)).sum()
        return float(wins / (self.support * num_others))

    def best_threshold(self) -> float:
        """Return a threshold of highest F1, half way to the next lower probability.

        Half way, so that last digits that differ between machines decide nothing. Of several with
        that F1 the one nearest to 0.5, which is also the answer where no picture has the label.
        """
        if self.support == 0:
            return USUAL_THRESHOLD
        f1_T = 2 * self.found_T / (self.reached_T + self.support)
        middles_T = (self.thresholds_T + np.append(self.thresholds_T[1:], 0.0)) / 2
        best = np.flatnonzero(f1_T == f1_T.max())
        return float(middles_T[best[np.argmin(np.abs(middles_T[best] - USUAL_THRESHOLD))]])


def precision_recall(labels_N: Sets, probabilities_N: Probabilities) -> PrecisionRecall:
    """Return the curve of one label.

    Args:
        labels_N: Which pictures have it.
        probabilities_N: What the model says of each.
    """
    order = np.argsort(-probabilities_N, kind="stable")
    sorted_N = probabilities_N[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(sorted_N)), len(sorted_N) - 1)
    last = last[last >= 0]  # none without pictures
    return PrecisionRecall(
        thresholds_T=sorted_N[last],
        found_T=np.cumsum(labels_N[order], dtype=np.int64)[last],
        reached_T=last.astype(np.int64) + 1,
        support=int(labels_N.sum()),
    )


def best_thresholds(labels_NK: Sets, probabilities_NK: Probabilities) -> tuple[float, ...]:
    """Return for each label the threshold of highest F1, as ``PrecisionRecall.best_threshold``."""
    return tuple(
        precision_recall(labels_NK[:, label], probabilities_NK[:, label]).best_threshold()
        for label in range(labels_NK.shape[1])
    )


def mean_known(values_K: npt.NDArray[np.float64]) -> float:
    """Return the mean of the values that are numbers; NaN where none is."""
    known = values_K[~np.isnan(values_K)]
    return float(known.mean()) if len(known) else float("nan")
