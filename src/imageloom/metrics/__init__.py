"""How right a classifier is: pure functions of logits or probabilities, and labels."""

from imageloom.metrics.figures import (
    Averages,
    ClassFigures,
    ConfusedPair,
    accuracy,
    averages,
    class_figures,
    confused_pairs,
    confusion_matrix,
)
from imageloom.metrics.label_errors import Suspicions, suspicious_labels
from imageloom.metrics.label_set_sums import (
    LabelSetSums,
    joined_label_set_sums,
    label_set_sums,
)
from imageloom.metrics.label_sets import (
    USUAL_THRESHOLD,
    LabelSetAverages,
    PrecisionRecall,
    best_thresholds,
    label_figures,
    label_set_averages,
    label_set_log_loss,
    mean_known,
    precision_recall,
)
from imageloom.metrics.probabilities import (
    CALIBRATION_BINS,
    LEAST_PROBABILITY,
    Calibration,
    CalibrationBin,
    calibration,
    log_loss,
    places_of_labels,
    topk_accuracy,
)
from imageloom.metrics.sums import ScoreSums, joined_sums, score_sums, topk_correct
from imageloom.metrics.thresholds import THRESHOLD_STEPS, ThresholdCurves, threshold_curves
from imageloom.metrics.uncertainty import chance_of_difference, wilson_interval

__all__ = [
    "CALIBRATION_BINS",
    "LEAST_PROBABILITY",
    "THRESHOLD_STEPS",
    "USUAL_THRESHOLD",
    "Averages",
    "Calibration",
    "CalibrationBin",
    "ClassFigures",
    "ConfusedPair",
    "LabelSetAverages",
    "LabelSetSums",
    "PrecisionRecall",
    "ScoreSums",
    "Suspicions",
    "ThresholdCurves",
    "accuracy",
    "averages",
    "best_thresholds",
    "calibration",
    "chance_of_difference",
    "class_figures",
    "confused_pairs",
    "confusion_matrix",
    "joined_label_set_sums",
    "joined_sums",
    "label_figures",
    "label_set_averages",
    "label_set_log_loss",
    "label_set_sums",
    "log_loss",
    "mean_known",
    "places_of_labels",
    "precision_recall",
    "score_sums",
    "suspicious_labels",
    "threshold_curves",
    "topk_accuracy",
    "topk_correct",
    "wilson_interval",
]
