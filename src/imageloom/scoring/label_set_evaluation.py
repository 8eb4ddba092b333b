"""What a table of label sets says about its model, as a value.

Legend: N pictures, K labels.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from imageloom.metrics import (
    ClassFigures,
    LabelSetAverages,
    PrecisionRecall,
    label_figures,
    label_set_averages,
    label_set_log_loss,
    mean_known,
    precision_recall,
    wilson_interval,
)
from imageloom.scoring.notices_on_tables import notices_on_files, require_rows
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.label_set_table import LabelSetTable
from imageloom.system.wording import some


@dataclass(frozen=True)
class LabelMistake:
    """A label that a picture was wrongly given, or wrongly not given.

    Attributes:
        file: The picture's name in the table.
        label: The label.
        is_missed: Whether the picture has it and was not given it; else the other way round.
        probability: What the model said, 0 to 1.
    """

    file: str
    label: str
    is_missed: bool
    probability: float


@dataclass(frozen=True, eq=False)
class LabelSetEvaluation:
    """Figures of a table in which each picture may have several labels.

    Attributes:
        name: What the table is called in reports.
        classes: The labels, in order.
        images: Pictures.
        thresholds: From which probability each label was given, or None when nothing says it.
        averages: Over labels, pictures and both, at the thresholds.
        log_loss: Mean over pictures of -log(probability of what is true of each label), summed.
        figures: Precision, recall, F1 and support of each label, at its threshold.
        curves: Precision and recall of each label at every threshold.
        labels_per_image: Mean number of labels that pictures have, and that they were given.
        mistakes: Wrong labels of which the model was surest, surest first.
        notices: Things a person should know before trusting the figures.
        model_digest: SHA-256 of the model that scored, or "".
        left_out: Files that were left out before the pictures were scored, by reason.
    """

    name: str
    classes: tuple[str, ...]
    images: int
    thresholds: tuple[float, ...] | None
    averages: LabelSetAverages
    log_loss: float
    figures: ClassFigures
    curves: tuple[PrecisionRecall, ...]
    labels_per_image: tuple[float, float]
    mistakes: tuple[LabelMistake, ...]
    notices: tuple[str, ...]
    model_digest: str
    left_out: Mapping[str, int]

    @property
    def average_precisions(self) -> npt.NDArray[np.float64]:
        """Average precision of each label; NaN where no picture has it."""
        return np.array([one.average_precision for one in self.curves])

    @property
    def roc_aucs(self) -> npt.NDArray[np.float64]:
        """Area under the ROC curve of each label; NaN where all pictures have it, or none."""
        return np.array([one.roc_auc for one in self.curves])

    @property
    def exact_match_interval(self) -> tuple[float, float]:
        """95 % confidence interval of the exact match."""
        return wilson_interval(round(self.averages.exact_match * self.images), self.images)

    def summary(self) -> dict[str, float]:
        """Return one number per figure, under names that stay the same for ever.

        Figures that have no meaning here, because no label has pictures with it and without, are
        left out.
        """
        found = {
            "Mean_Average_Precision": mean_known(self.average_precisions),
            "Macro_ROC_AUC": mean_known(self.roc_aucs),
            "Micro_F1": self.averages.micro_f1,
            "Macro_F1": self.averages.macro_f1,
            "Samples_F1": self.averages.samples_f1,
            "Micro_Precision": self.averages.micro_precision,
            "Macro_Precision": self.averages.macro_precision,
            "Micro_Recall": self.averages.micro_recall,
            "Macro_Recall": self.averages.macro_recall,
            "Exact_Match": self.averages.exact_match,
            "Hamming_Loss": self.averages.hamming_loss,
            "Log_Loss": self.log_loss,
        }
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def to_json(self) -> dict[str, object]:
        """Return everything as JSON values."""
        return {
            "name": self.name,
            "several_labels": True,
            "images": self.images,
            "model_digest": self.model_digest,
            "left_out": sum(self.left_out.values()),
            "left_out_reasons": dict(self.left_out),
            "classes": list(self.classes),
            "figures": self.summary(),
            "exact_match_interval_95": list(self.exact_match_interval),
            "labels_per_image": {
                "known": self.labels_per_image[0],
                "given": self.labels_per_image[1],
            },
            "per_class": self.per_class(),
            "most_confident_mistakes": [asdict(one) for one in self.mistakes],
            "notices": list(self.notices),
        }

    def per_class(self) -> list[dict[str, str | int | float | None]]:
        """Return the figures of each label, in order; None for what has no meaning."""
        figures = self.figures
        return [
            {
                "class": name,
                "support": int(figures.support_K[position]),
                "predicted": int(figures.predicted_K[position]),
                "threshold": None if self.thresholds is None else self.thresholds[position],
                "precision": float(figures.precision_K[position]),
                "recall": float(figures.recall_K[position]),
                "f1": float(figures.f1_K[position]),
                "average_precision": _known(curve.average_precision),
                "roc_auc": _known(curve.roc_auc),
            }
            for position, (name, curve) in enumerate(zip(self.classes, self.curves, strict=True))
        ]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def evaluate_label_sets(
    table: LabelSetTable, *, params: EvaluateParams, name: str
) -> LabelSetEvaluation:
    """Return the figures of a table of label sets.

    Args:
        table: Scores of one model.
        params: How much to list.
        name: What the table is called in reports.

    Raises:
        NotScoredDatasetError: The table has no rows.
        NotExpectedLabelColumnError: It is not known which labels the pictures have.
    """
    require_rows(table.files, name)
    labels_NK = table.require_labels()
    return LabelSetEvaluation(
        name=name,
        classes=table.classes,
        images=len(table),
        thresholds=table.thresholds,
        averages=label_set_averages(labels_NK, table.predicted_NK),
        log_loss=label_set_log_loss(labels_NK, table.probabilities_NK),
        figures=label_figures(labels_NK, table.predicted_NK),
        curves=tuple(
            precision_recall(labels_NK[:, label], table.probabilities_NK[:, label])
            for label in range(len(table.classes))
        ),
        labels_per_image=(
            float(labels_NK.sum(axis=1).mean()),
            float(table.predicted_NK.sum(axis=1).mean()),
        ),
        mistakes=_surest_mistakes(table, labels_NK, most=params.mistakes),
        notices=_notices(table, labels_NK),
        model_digest=table.model_digest,
        left_out=table.left_out,
    )


def _surest_mistakes(
    table: LabelSetTable, labels_NK: npt.NDArray[np.bool_], *, most: int
) -> tuple[LabelMistake, ...]:
    rows, labels = np.nonzero(labels_NK != table.predicted_NK)
    said = table.probabilities_NK[rows, labels].astype(np.float64)
    is_missed = labels_NK[rows, labels]
    # Stable, so that equally sure mistakes stand in the order of the table.
    surest = np.argsort(-np.where(is_missed, 1 - said, said), kind="stable")[:most]
    return tuple(
        LabelMistake(
            file=table.files[int(rows[at])].as_py(),
            label=table.classes[int(labels[at])],
            is_missed=bool(is_missed[at]),
            probability=float(said[at]),
        )
        for at in surest
    )


def _notices(table: LabelSetTable, labels_NK: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    support_K = labels_NK.sum(axis=0)
    notices = list(notices_on_files(table.files, table.left_out))
    none = [name for name, number in zip(table.classes, support_K, strict=True) if number == 0]
    if none:
        notices.append(
            f"Labels that no picture has here: {len(none):,} of {len(table.classes):,} "
            f"({some(none)}). They count as 0 in the macro averages of precision, recall and F1, "
            "and are left out of the mean average precision and the ROC AUC."
        )
    every = [name for name, n in zip(table.classes, support_K, strict=True) if n == len(table)]
    if every:
        notices.append(
            f"Labels that every picture has here: {len(every):,} of {len(table.classes):,} "
            f"({some(every)}). They have no ROC AUC and are left out of its mean."
        )
    return tuple(notices)
