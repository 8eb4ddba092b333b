"""The figures of each class, weakest first."""

from collections.abc import Sequence

import numpy as np

from imageloom.reports.charts import element, join
from imageloom.reports.page import Section, paragraph
from imageloom.reports.tables import Cell, bar_cell, count_cell, table, text_cell
from imageloom.scoring.evaluation import Evaluation

_MOST_AT_ONCE = 30
_WEAKEST = 15
_COLUMNS = ("Class", "Pictures", "Precision", "Recall", "F1")


def classes_section(evaluation: Evaluation) -> Section:
    """Return the section with precision, recall and F1 of each class."""
    # Stable, so that equal classes stand in the order of the class list.
    order = np.argsort(evaluation.figures.f1_K, kind="stable").tolist()
    words = paragraph(
        element("b", "Precision"),
        ": of the pictures that were given this class, how many belong to it. ",
        element("b", "Recall"),
        ": of the pictures of this class, how many were found. ",
        element("b", "F1"),
        " joins the two. Below 50 % the bar changes colour.",
    )
    if len(order) <= _MOST_AT_ONCE:
        whole = _table(evaluation, order, "All classes, the weakest first")
        return Section("classes", "Class by class", join([words, whole]))
    weakest = _table(evaluation, order[:_WEAKEST], f"The {_WEAKEST} weakest classes")
    search = element(
        "p",
        element("label", "Find a class: ", element("input", type="search")),
        class_="filter",
        hidden="",
    )
    every = element(
        "details",
        element("summary", f"Show all {len(order):,} classes"),
        search,
        _table(evaluation, order, "All classes, the weakest first"),
        data_filtered="",
    )
    return Section("classes", "Class by class", join([words, weakest, every]))


def _table(evaluation: Evaluation, order: Sequence[int], caption: str) -> str:
    figures = evaluation.figures
    rows: list[list[Cell]] = [
        [
            text_cell(evaluation.classes[index]),
            count_cell(int(figures.support_K[index])),
            bar_cell(float(figures.precision_K[index])),
            bar_cell(float(figures.recall_K[index])),
            bar_cell(float(figures.f1_K[index])),
        ]
        for index in order
    ]
    return table(_COLUMNS, rows, caption=caption, sortable=True)
