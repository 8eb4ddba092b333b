"""Figures that follow from the confusion matrix: who was taken for whom, and how often.

Legend: N pictures, K classes. Labels and predictions are positions in the class list, all known.
Every quotient with a zero denominator is 0, as scikit-learn gives with ``labels=range(K),
zero_division=0``, so a class without pictures counts as 0 in a macro average.
"""

from dataclasses import dataclass

import numpy as np

from imageloom.metrics.ratios import Floats, Ints, ratio, ratios


def accuracy(labels_N: Ints, predicted_N: Ints) -> float:
    """Return the fraction of pictures whose prediction is the label; 0 without pictures."""
    return ratio(int((labels_N == predicted_N).sum()), len(labels_N))


def confusion_matrix(labels_N: Ints, predicted_N: Ints, *, num_classes: int) -> Ints:
    """Count pictures by label and prediction.

    Returns:
        int64 [K, K]: row is the label, column the prediction.
    """
    pairs_N = labels_N.astype(np.int64) * num_classes + predicted_N
    counts = np.bincount(pairs_N, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


@dataclass(frozen=True, eq=False)
class ClassFigures:
    """Figures of each class, in the order of the class list.

    Attributes:
        precision_K: Of the pictures given this class, the fraction that belongs to it.
        recall_K: Of the pictures of this class, the fraction that was given it.
        f1_K: Harmonic mean of the two.
        support_K: Pictures whose label is this class.
        predicted_K: Pictures given this class.
    """

    precision_K: Floats
    recall_K: Floats
    f1_K: Floats
    support_K: Ints
    predicted_K: Ints


def class_figures(confusion_KK: Ints) -> ClassFigures:
    """Return precision, recall and F1 of each class from a confusion matrix (rows: labels)."""
    return figures_of_counts(
        np.diag(confusion_KK),
        support_K=confusion_KK.sum(axis=1),
        predicted_K=confusion_KK.sum(axis=0),
    )


def figures_of_counts(right_K: Ints, *, support_K: Ints, predicted_K: Ints) -> ClassFigures:
    """Return precision, recall and F1 of each class from how often it is right, there and named."""
    return ClassFigures(
        precision_K=ratios(right_K, predicted_K),
        recall_K=ratios(right_K, support_K),
        f1_K=ratios(2 * right_K, support_K + predicted_K),
        support_K=support_K,
        predicted_K=predicted_K,
    )


@dataclass(frozen=True)
class Averages:
    """One number each for all classes, all 0 to 1.

    Micro averages count pictures; with one label per picture all three equal the accuracy. Macro
    averages count classes: a rare class weighs as much as a frequent one, and a class without
    pictures counts as 0.
    """

    overall_accuracy: float
    micro_precision: float
    macro_precision: float
    micro_recall: float
    macro_recall: float
    micro_f1: float
    macro_f1: float

    def to_json(self) -> dict[str, float]:
        """Return the names that users of the old designer know."""
        return {
            "Overall_Accuracy": self.overall_accuracy,
            "Micro_Precision": self.micro_precision,
            "Macro_Precision": self.macro_precision,
            "Micro_Recall": self.micro_recall,
            "Macro_Recall": self.macro_recall,
            "Micro_F1": self.micro_f1,
            "Macro_F1": self.macro_f1,
        }


def averages(confusion_KK: Ints) -> Averages:
    """Return accuracy and averaged figures from a confusion matrix (rows: labels)."""
    figures = class_figures(confusion_KK)
    right = ratio(int(np.trace(confusion_KK)), int(confusion_KK.sum()))
    return Averages(
        overall_accuracy=right,
        micro_precision=right,
        macro_precision=float(figures.precision_K.mean()),
        micro_recall=right,
        macro_recall=float(figures.recall_K.mean()),
        micro_f1=right,
        macro_f1=float(figures.f1_K.mean()),
    )


@dataclass(frozen=True)
class ConfusedPair:
    """Pictures of one class that were given another.

    Attributes:
        label: Position of the true class.
        predicted: Position of the class that was given.
        images: How many pictures.
        fraction: Their share of the pictures of the true class.
    """

    label: int
    predicted: int
    images: int
    fraction: float


def confused_pairs(confusion_KK: Ints, *, most: int) -> tuple[ConfusedPair, ...]:
    """Return the pairs with the most pictures, most first; ties in the order of the class list."""
    support_K = confusion_KK.sum(axis=1)
    wrong_KK = confusion_KK.copy()
    np.fill_diagonal(wrong_KK, 0)
    labels, predictions = np.nonzero(wrong_KK)
    # Stable, so that nonzero's order (by label, then prediction) decides between equal counts.
    order = np.argsort(-wrong_KK[labels, predictions], kind="stable")[:most]
    return tuple(
        ConfusedPair(
            label=int(label),
            predicted=int(predicted),
            images=int(wrong_KK[label, predicted]),
            fraction=float(wrong_KK[label, predicted] / support_K[label]),
        )
        for label, predicted in zip(labels[order], predictions[order], strict=True)
    )
