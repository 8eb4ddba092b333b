"""Who was taken for whom: the confusion matrix and its most confused pairs."""

import numpy as np
import numpy.typing as npt

from imageloom.reports.charts import MOST_CLASSES, Markup, dot_map, element, heat_map, join
from imageloom.reports.page import Section, paragraph
from imageloom.reports.tables import bar_cell, count_cell, table, text_cell
from imageloom.scoring.evaluation import Evaluation

_BLOCK = 20
_PAIRS_AT_ONCE = 10


def confusion_section(evaluation: Evaluation) -> Section:
    """Return the section with the matrix, for two classes as for a thousand."""
    body = [
        paragraph(
            "Each row is a true class, each column the class that the model gave. A perfect "
            "model fills the diagonal only. Mistakes are drawn stronger than their share, so that "
            "rare ones can be seen."
        ),
        _key(),
    ]
    many = len(evaluation.classes) > MOST_CLASSES
    if many:
        body.append(_block(evaluation))
    whole = element("figure", *_whole_caption(evaluation), matrix(evaluation))
    pairs = element("div", pairs_table(evaluation))
    style = "matrix-and-pairs many" if many else "matrix-and-pairs"
    body.append(element("div", whole, pairs, class_=style))
    return Section("confusion", "What is taken for what", join(body))


def matrix(evaluation: Evaluation) -> Markup:
    """Return the whole matrix: with names and counts, or for many classes as dots."""
    num_classes = len(evaluation.classes)
    if num_classes <= MOST_CLASSES:
        return _map(evaluation, np.arange(num_classes), "Confusion matrix")
    return _dots(evaluation)


def _block(evaluation: Evaluation) -> Markup:
    """Return the part of a large matrix that is worth reading, with names and counts."""
    block = most_confused_block(evaluation.confusion_KK, _BLOCK)
    title = f"The {len(block)} classes that are confused most"
    note = element("span", "mistakes with other classes are not shown", class_="note")
    return element(
        "figure",
        element("figcaption", title, note),
        _map(evaluation, block, title),
    )


def _whole_caption(evaluation: Evaluation) -> list[Markup]:
    if len(evaluation.classes) <= MOST_CLASSES:
        return []
    note = element("span", "a dot for each pair that occurs", class_="note")
    return [element("figcaption", f"All {len(evaluation.classes):,} classes", note)]


def most_confused_block(confusion_KK: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Return classes that have many mistakes among themselves, in the order of the class list.

    It starts with the pair that is confused most and adds, one at a time, the class that shares
    most mistakes with those chosen; ties go by the order of the class list.

    Args:
        confusion_KK: Pictures by label (row) and given class (column).
        size: How many classes, at most K.
    """
    between_KK = confusion_KK + confusion_KK.T
    np.fill_diagonal(between_KK, 0)
    size = min(size, len(between_KK))
    chosen = [int(np.argmax(between_KK.sum(axis=1)))] if size else []
    shared_K = between_KK[chosen].sum(axis=0) if size else np.zeros(0)
    total_K = between_KK.sum(axis=1)
    while len(chosen) < size:
        # Classes that share nothing with the block are taken by their mistakes in all.
        order = np.lexsort((np.arange(len(total_K)), -total_K, -shared_K))
        best = next(int(index) for index in order if index not in chosen)
        chosen.append(best)
        shared_K = shared_K + between_KK[best]
    return np.array(sorted(chosen), dtype=np.int64)


def pairs_table(evaluation: Evaluation) -> Markup:
    """Return the pairs of classes with the most mistakes."""
    if not evaluation.pairs:
        return paragraph("There is no mistake at all.")
    rows = [
        [
            text_cell(evaluation.classes[pair.label]),
            text_cell(evaluation.classes[pair.predicted]),
            count_cell(pair.images),
            bar_cell(pair.fraction, weak_below=1.01),
        ]
        for pair in evaluation.pairs
    ]
    columns = ["True class", "Scored as", "Pictures", "Share of the true class"]
    first = table(columns, rows[:_PAIRS_AT_ONCE], caption="Most confused pairs", sortable=True)
    if len(rows) <= _PAIRS_AT_ONCE:
        return first
    more = element("summary", f"Show {len(rows) - _PAIRS_AT_ONCE} more")
    rest = table(columns, rows[_PAIRS_AT_ONCE:], caption="Further pairs", sortable=True)
    return join([first, element("details", more, rest)])


def _map(evaluation: Evaluation, block: npt.NDArray[np.int64], title: str) -> Markup:
    return heat_map(
        evaluation.confusion_KK[np.ix_(block, block)].tolist(),
        [evaluation.classes[index] for index in block],
        evaluation.figures.support_K[block].tolist(),
        title=title,
    )


def _dots(evaluation: Evaluation) -> Markup:
    rows, columns = np.nonzero(evaluation.confusion_KK)
    support_K = evaluation.figures.support_K
    shares = evaluation.confusion_KK[rows, columns] / support_K[rows]
    cells = zip(rows.tolist(), columns.tolist(), shares.tolist(), strict=True)
    title = f"Confusion matrix of all {len(evaluation.classes)} classes"
    return dot_map(cells, len(evaluation.classes), title=title)


def _key() -> Markup:
    return element(
        "ul",
        element("li", element("i", class_="hit"), "right"),
        element("li", element("i", class_="miss"), "mistaken"),
        class_="key",
    )
