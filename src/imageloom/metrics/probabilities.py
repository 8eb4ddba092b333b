"""Figures that need the probabilities: top-k, log loss, calibration.

Legend: N pictures, K classes. Labels are positions in the class list, all known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.metrics.ratios import Ints, ratio, ratios

Probabilities = npt.NDArray[np.floating]

LEAST_PROBABILITY: Final = float(np.finfo(np.float32).eps)
"""Probabilities are raised to this (1.19e-7) before a logarithm: one certain mistake costs 15.9."""

CALIBRATION_BINS: Final = 15
_ROWS_AT_A_TIME: Final = 8192


def places_of_labels(probabilities_NK: Probabilities, labels_N: Ints) -> Ints:
    """Return how many classes stand before each label, shape [N]: 0 when it is the highest.

    Ties and NaN as in ``topk_correct``. Temporary memory does not grow with N.

    Args:
        probabilities_NK: Logits or probabilities.
        labels_N: Positions, all known.
    """
    places_N = np.empty(len(labels_N), dtype=np.int64)
    positions_K = np.arange(probabilities_NK.shape[1])
    for start in range(0, len(labels_N), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        scores, labels = probabilities_NK[rows], labels_N[rows, None]
        own = np.take_along_axis(scores, labels, axis=1)
        before = np.where(positions_K < labels, ~(scores < own), ~(scores <= own))
        places_N[rows] = before.sum(axis=1)
    return places_N


def topk_accuracy(probabilities_NK: Probabilities, labels_N: Ints, k: int) -> float:
    """Return the fraction of pictures whose label is among the k highest; 0 without pictures."""
    k = min(k, probabilities_NK.shape[1])
    return ratio(int((places_of_labels(probabilities_NK, labels_N) < k).sum()), len(labels_N))


def log_loss(probabilities_NK: Probabilities, labels_N: Ints) -> float:
    """Return the mean of -log(probability of the label), in nats; 0 without pictures.

    Probabilities below ``LEAST_PROBABILITY`` are raised to it: float32 holds nothing between a
    certain mistake and an infinite loss. scikit-learn clips float32 at the same place.
    """
    if len(labels_N) == 0:
        return 0.0
    own_N = probabilities_NK[np.arange(len(labels_N)), labels_N].astype(np.float64)
    return float(-np.log(np.maximum(own_N, LEAST_PROBABILITY)).mean())


@dataclass(frozen=True)
class CalibrationBin:
    """Pictures whose highest probability lies in (lower, upper].

    Attributes:
        lower: Excluded, except that 0 belongs to the first bin.
        upper: Included.
        images: Pictures in the bin.
        mean_confidence: Mean of their highest probabilities; 0 in an empty bin.
        accuracy: Fraction of them that is right; 0 in an empty bin.
    """

    lower: float
    upper: float
    images: int
    mean_confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """Whether "80 % sure" is right in 80 % of the cases.

    Attributes:
        error: Expected calibration error: mean over pictures of |accuracy - confidence| of the
            picture's bin, 0 to 1; 0 without pictures.
        bins: All bins, from low to high confidence, empty ones included.
    """

    error: float
    bins: tuple[CalibrationBin, ...]


def calibration(
    confidence_N: Probabilities,
    correct_N: npt.NDArray[np.bool_],
    *,
    num_bins: int = CALIBRATION_BINS,
) -> Calibration:
    """Return the expected calibration error over bins of equal width.

    Args:
        confidence_N: The highest probability of each picture, 0 to 1.
        correct_N: Whether the class with that probability is the label.
        num_bins: Bins between 0 and 1.

    Source:
        Guo et al. 2017, On Calibration of Modern Neural Networks, equations 2 and 3, with M = 15
        as in section 5.
    """
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    confidence_N = confidence_N.astype(np.float64)
    bin_N = np.clip(np.searchsorted(edges, confidence_N, side="left") - 1, 0, num_bins - 1)
    images = np.bincount(bin_N, minlength=num_bins)
    confidence = ratios(np.bincount(bin_N, confidence_N, minlength=num_bins), images)
    right = ratios(np.bincount(bin_N, correct_N, minlength=num_bins), images)
    gaps = np.abs(right - confidence) * images
    return Calibration(
        error=ratio(float(gaps.sum()), len(confidence_N)),
        bins=tuple(
            CalibrationBin(
                lower=float(edges[index]),
                upper=float(edges[index + 1]),
                images=int(images[index]),
                mean_confidence=float(confidence[index]),
                accuracy=float(right[index]),
            )
            for index in range(num_bins)
        ),
    )
