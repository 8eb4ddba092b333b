"""The figures of each label, weakest first, and its curve of precision and recall."""

import math
from typing import Final

import numpy as np

from imageloom.reports.charts import Markup, OperatingPoint, element, join, precision_recall_chart
from imageloom.reports.page import Section, name, paragraph
from imageloom.reports.tables import Cell, bar_cell, count_cell, table, text_cell
from imageloom.reports.words import decimals, percent
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation

_CURVES: Final = 12
_MOST_POINTS: Final = 400
_COLUMNS: Final = (
    *("Label", "Pictures", "Average precision", "Threshold", "Precision", "Recall", "F1"),
    "ROC AUC",
)


def labels_section(evaluation: LabelSetEvaluation) -> Section:
    """Return the section with the figures of each label."""
    words = paragraph(
        element("b", "Average precision"),
        ": how far the pictures with the label stand before those without it, whatever the "
        "threshold. ",
        element("b", "Precision"),
        ": of the pictures that were given the label, how many have it. ",
        element("b", "Recall"),
        ": of the pictures with the label, how many were given it. ",
        element("b", "F1"),
        " joins the two, at the threshold in use. ",
        element("b", "ROC AUC"),
        ": how often a picture with the label has a higher probability than one without.",
    )
    figures = evaluation.figures
    rows: list[list[Cell]] = [
        [
            text_cell(evaluation.classes[index]),
            count_cell(int(figures.support_K[index])),
            _known_bar(evaluation.curves[index].average_precision),
            _threshold(evaluation, index),
            _fraction(float(figures.precision_K[index])),
            _fraction(float(figures.recall_K[index])),
            bar_cell(float(figures.f1_K[index])),
            _fraction(evaluation.curves[index].roc_auc),
        ]
        for index in weakest_first(evaluation)
    ]
    whole = table(_COLUMNS, rows, caption="All labels, the weakest first", sortable=True)
    return Section("labels", "Label by label", join([words, whole]))


def curves_of_labels_section(evaluation: LabelSetEvaluation) -> Section | None:
    """Return the section with the curves of the weakest labels; None where no picture has any."""
    order = [one for one in weakest_first(evaluation) if evaluation.curves[one].support > 0]
    if not order:
        return None
    words = paragraph(
        "Each threshold is a place on the curve: further right more pictures with the label are "
        "found, higher up fewer are given it wrongly. The dot is the threshold in use, the dotted "
        "line what giving the label to every picture would reach."
    )
    charts = [_figure(evaluation, index) for index in order[:_CURVES]]
    shown = (
        paragraph(f"The {_CURVES} weakest of {len(order):,} labels.", style="note")
        if len(order) > _CURVES
        else Markup()
    )
    body = join([words, element("div", *charts, class_="small-charts"), shown])
    return Section("curves", "Precision against recall", body)


def weakest_first(evaluation: LabelSetEvaluation) -> list[int]:
    """Return the labels by rising average precision; those without one come last."""
    # Stable, so that equal labels stand in their order.
    return [int(one) for one in np.argsort(evaluation.average_precisions, kind="stable")]


def _threshold(evaluation: LabelSetEvaluation, index: int) -> Cell:
    if evaluation.thresholds is None:
        return Cell("unknown", None, "number")
    value = evaluation.thresholds[index]
    return Cell(decimals(value), value, "number")


def _fraction(value: float) -> Cell:
    if not math.isfinite(value):
        return Cell("none", -1.0, "number")
    return Cell(percent(value), value, "number")


def _known_bar(value: float) -> Cell:
    return bar_cell(value) if math.isfinite(value) else Cell("none", -1.0, "barred")


def _figure(evaluation: LabelSetEvaluation, index: int) -> Markup:
    label, curve = evaluation.classes[index], evaluation.curves[index]
    figures = evaluation.figures
    precision, recall = float(figures.precision_K[index]), float(figures.recall_K[index])
    threshold = "" if evaluation.thresholds is None else f" {evaluation.thresholds[index]:.3g}"
    chosen = OperatingPoint(
        recall=recall,
        precision=precision,
        words=f"Threshold{threshold}: precision {precision:.1%}, recall {recall:.1%}",
    )
    stride = max(1, len(curve.thresholds_T) // _MOST_POINTS)
    points = list(zip(curve.recalls.tolist(), curve.precisions.tolist(), strict=True))
    kept = [*points[::stride], points[-1]]
    chart = precision_recall_chart(
        kept,
        title=f"Precision against recall of {label}",
        share=curve.support / evaluation.images,
        chosen=chosen if figures.predicted_K[index] else None,
    )
    caption = element("figcaption", name(label), f" · {percent(curve.average_precision)}")
    return element("figure", caption, chart)
