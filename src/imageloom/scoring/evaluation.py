"""What a scored table says about its model, as a value.

Legend: N pictures with a known label, K classes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from imageloom.metrics import (
    Averages,
    Calibration,
    ClassFigures,
    ConfusedPair,
    averages,
    calibration,
    class_figures,
    confused_pairs,
    confusion_matrix,
    log_loss,
    topk_accuracy,
    wilson_interval,
)
from imageloom.scoring.label_errors import LabelErrors, label_errors_of
from imageloom.scoring.notices_on_tables import left_out_notice, repeated_notice, require_rows
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.scored_table import UNKNOWN, ScoredTable
from imageloom.system.wording import some


@dataclass(frozen=True)
class Mistake:
    """A picture that was given the wrong class.

    Attributes:
        file: Its name in the table.
        label: The true class.
        scored_label: The class it was given.
        probability: How sure the model was of the wrong class, 0 to 1.
        label_probability: What it gave the true class, 0 to 1.
    """

    file: str
    label: str
    scored_label: str
    probability: float
    label_probability: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures of one scored table, over the pictures whose label is known.

    Attributes:
        name: What the table is called in reports.
        classes: The class list, in order.
        images: Pictures with a label.
        averages: Accuracy and averaged precision, recall and F1.
        top5: Fraction of pictures whose label is among the five most probable classes.
        log_loss: Mean of -log(probability of the label), in nats.
        calibration: Expected calibration error and its bins.
        figures: Precision, recall and F1 of each class.
        confusion_KK: Pictures by label (row) and scored label (column).
        pairs: Most confused pairs of classes, most first.
        mistakes: Mistakes of which the model was surest, surest first.
        label_errors: Pictures whose label is probably wrong.
        notices: Things a person should know before trusting the figures.
        model_digest: SHA-256 of the model that scored, or "".
        left_out: Files that were left out before the pictures were scored, by reason.
    """

    name: str
    classes: tuple[str, ...]
    images: int
    averages: Averages
    top5: float
    log_loss: float
    calibration: Calibration
    figures: ClassFigures
    confusion_KK: npt.NDArray[np.int64]
    pairs: tuple[ConfusedPair, ...]
    mistakes: tuple[Mistake, ...]
    label_errors: LabelErrors
    notices: tuple[str, ...]
    model_digest: str
    left_out: Mapping[str, int]

    @property
    def right(self) -> int:
        """Pictures that were given their class."""
        return int(np.trace(self.confusion_KK))

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy."""
        return wilson_interval(self.right, self.images)

    @property
    def most_frequent_share(self) -> float:
        """Accuracy of a model that always names the most frequent class."""
        return float(self.figures.support_K.max() / self.images) if self.images else 0.0

    def summary(self) -> dict[str, float]:
        """Return one number per figure, under the names that stay the same for ever."""
        return {
            **self.averages.to_json(),
            "Top_5_Accuracy": self.top5,
            "Log_Loss": self.log_loss,
            "Expected_Calibration_Error": self.calibration.error,
        }

    def to_json(self) -> dict[str, object]:
        """Return everything as JSON values; classes go by name, empty cells are left out."""
        return {
            "name": self.name,
            "images": self.images,
            "model_digest": self.model_digest,
            "left_out": sum(self.left_out.values()),
            "left_out_reasons": dict(self.left_out),
            "classes": list(self.classes),
            "figures": self.summary(),
            "accuracy_interval_95": list(self.accuracy_interval),
            "most_frequent_class_share": self.most_frequent_share,
            "per_class": self.per_class(),
            "confusion_matrix": self._confusion_by_name(),
            "most_confused_pairs": [
                {
                    "label": self.classes[pair.label],
                    "scored_label": self.classes[pair.predicted],
                    "images": pair.images,
                    "fraction": pair.fraction,
                }
                for pair in self.pairs
            ],
            "calibration_bins": [asdict(one) for one in self.calibration.bins],
            "most_confident_mistakes": [asdict(mistake) for mistake in self.mistakes],
            "possible_label_errors": self.label_errors.to_json(),
            "notices": list(self.notices),
        }

    def per_class(self) -> list[dict[str, str | int | float]]:
        """Return the figures of each class, in the order of the class list."""
        figures = self.figures
        return [
            {
                "class": name,
                "support": int(figures.support_K[position]),
                "predicted": int(figures.predicted_K[position]),
                "precision": float(figures.precision_K[position]),
                "recall": float(figures.recall_K[position]),
                "f1": float(figures.f1_K[position]),
            }
            for position, name in enumerate(self.classes)
        ]

    def _confusion_by_name(self) -> dict[str, dict[str, int]]:
        return {
            name: {
                self.classes[column]: int(self.confusion_KK[row, column])
                for column in np.flatnonzero(self.confusion_KK[row])
            }
            for row, name in enumerate(self.classes)
        }


def evaluate_table(table: ScoredTable, *, params: EvaluateParams, name: str) -> Evaluation:
    """Return the figures of a table.

    Pictures without a label are left out, and a notice says how many.

    Args:
        table: Scores of one model.
        params: How much to list.
        name: What the table is called in reports.

    Raises:
        NotScoredDatasetError: The table has no rows.
        NotExpectedLabelColumnError: No picture has a label.
    """
    require_rows(table.files, name)
    table.require_labels()
    rows = np.flatnonzero(table.labels_N != UNKNOWN)
    labels_N = table.labels_N[rows].astype(np.int64)
    predicted_N = table.predicted_N[rows].astype(np.int64)
    every = len(rows) == len(table)
    probabilities_NK = table.probabilities_NK if every else table.probabilities_NK[rows]
    confidence_N = probabilities_NK[np.arange(len(rows)), predicted_N]
    confusion_KK = confusion_matrix(labels_N, predicted_N, num_classes=len(table.classes))
    return Evaluation(
        name=name,
        classes=table.classes,
        images=len(rows),
        averages=averages(confusion_KK),
        top5=topk_accuracy(probabilities_NK, labels_N, 5),
        log_loss=log_loss(probabilities_NK, labels_N),
        calibration=calibration(confidence_N, predicted_N == labels_N),
        figures=class_figures(confusion_KK),
        confusion_KK=confusion_KK,
        pairs=confused_pairs(confusion_KK, most=params.pairs),
        mistakes=surest_mistakes(table, rows[labels_N != predicted_N], most=params.mistakes),
        label_errors=label_errors_of(table, most=params.label_errors),
        notices=_notices(table, confusion_KK),
        model_digest=table.model_digest,
        left_out=table.left_out,
    )


def surest_mistakes(
    table: ScoredTable, wrong: npt.NDArray[np.int64], *, most: int
) -> tuple[Mistake, ...]:
    """Return the mistakes of which the model was surest, surest first.

    Args:
        table: The scores.
        wrong: Rows whose label is known and is not the scored one.
        most: How many.
    """
    confidence = table.probabilities_NK[wrong, table.predicted_N[wrong]]
    # Stable, so that equally sure mistakes stand in the order of the table.
    surest = wrong[np.argsort(-confidence, kind="stable")[:most]]
    return tuple(
        Mistake(
            file=table.files[row].as_py(),
            label=table.classes[table.labels_N[row]],
            scored_label=table.classes[table.predicted_N[row]],
            probability=float(table.probabilities_NK[row, table.predicted_N[row]]),
            label_probability=float(table.probabilities_NK[row, table.labels_N[row]]),
        )
        for row in surest.tolist()
    )


def _notices(table: ScoredTable, confusion_KK: npt.NDArray[np.int64]) -> tuple[str, ...]:
    notices = [*left_out_notice(table.left_out)]
    unlabelled = int((table.labels_N == UNKNOWN).sum())
    if unlabelled:
        notices.append(
            f"Pictures without a label, which are left out: {unlabelled:,} of {len(table):,}."
        )
    support_K = confusion_KK.sum(axis=1)
    empty = [name for name, count in zip(table.classes, support_K, strict=True) if count == 0]
    if empty:
        notices.append(
            f"Classes without a picture here: {len(empty):,} of {len(table.classes):,} "
            f"({some(empty)}). They count as 0 in the macro averages."
        )
    return (*notices, *repeated_notice(table.files))
