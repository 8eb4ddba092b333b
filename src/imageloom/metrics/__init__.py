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
    "Averages",
    "Calibration",
    "CalibrationBin",
    "ClassFigures",
    "ConfusedPair",
    "ScoreSums",
    "Suspicions",
    "ThresholdCurves",
    "accuracy",
    "averages",
    "calibration",
    "chance_of_difference",
    "class_figures",
    "confused_pairs",
    "confusion_matrix",
    "joined_sums",
    "log_loss",
    "places_of_labels",
    "score_sums",
    "suspicious_labels",
    "threshold_curves",
    "topk_accuracy",
    "topk_correct",
    "wilson_interval",
]
