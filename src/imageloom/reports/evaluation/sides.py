"""Two models side by side: which is better, where, and whether that could be chance."""

import numpy as np

from imageloom.reports.charts import MOST_CLASSES, Markup, element, join
from imageloom.reports.evaluation.confusion import matrix
from imageloom.reports.evaluation.headline import notice_list, tile
from imageloom.reports.evaluation.mistakes import Thumbnailer, gallery, without_pictures
from imageloom.reports.evaluation.reliability import diagram
from imageloom.reports.page import Section, name, paragraph
from imageloom.reports.tables import Cell, count_cell, table, text_cell
from imageloom.reports.words import decimals, percent, points
from imageloom.scoring.comparison import Comparison
from imageloom.scoring.evaluation import Evaluation
from imageloom.system.wording import count

_LOWER_IS_BETTER = frozenset({"Log_Loss", "Expected_Calibration_Error"})
_MOST_CLASSES_IN_TABLE = 200
_CERTAIN = 0.05


def verdict_section(comparison: Comparison) -> Section:
    """Return the section that says which model is better and how sure that is."""
    left, right = comparison.left, comparison.right
    tiles = [
        _tile(left, "A"),
        _tile(right, "B"),
        tile(
            "Only A is right",
            f"{comparison.only_left:,}",
            f"of {count(comparison.joined, 'picture')} that both scored",
        ),
        tile(
            "Only B is right",
            f"{comparison.only_right:,}",
            f"both are right for {comparison.both_right:,}, neither for {comparison.neither:,}",
        ),
    ]
    body = [
        element("dl", *tiles, class_="tiles"),
        paragraph(verdict(comparison), style="lead"),
        notice_list((*comparison.notices, *left.notices, *right.notices)),
        _figures_table(left, right),
    ]
    return Section("verdict", "Which is better", join(body))


def verdict(comparison: Comparison) -> str:
    """Return in a sentence which model is better, or that nothing tells them apart."""
    only_left, only_right = comparison.only_left, comparison.only_right
    chance = comparison.chance
    if comparison.joined == 0:
        return "No picture is in both tables, so the two models cannot be compared."
    if only_left == only_right:
        return "On the pictures that both scored, the two models are right equally often."
    better, more, fewer = ("A", only_left, only_right)
    if only_right > only_left:
        better, more, fewer = ("B", only_right, only_left)
    split = f"{better} alone is right for {count(more, 'picture')}, the other alone for {fewer:,}."
    if chance < _CERTAIN:
        return (
            f"{better} is better. {split} Between equally good models so uneven a split would "
            f"come about in {percent(chance)} of cases."
        )
    return (
        f"The difference may be chance. {split} Between equally good models so uneven a split "
        f"comes about in {percent(chance)} of cases."
    )


def changed_classes_section(comparison: Comparison) -> Section:
    """Return the section with the classes that gained and lost most."""
    left, right = comparison.left, comparison.right
    place = {title: index for index, title in enumerate(right.classes)}
    rows = []
    for index, title in enumerate(left.classes):
        before, after = left.figures.f1_K[index], right.figures.f1_K[place[title]]
        rows.append((float(after - before), title, index, float(before), float(after)))
    rows.sort(key=lambda row: (-abs(row[0]), row[2]))
    cells = [
        [
            text_cell(title),
            count_cell(int(left.figures.support_K[index])),
            Cell(percent(before), before, "number"),
            Cell(percent(after), after, "number"),
            _difference(change, points(change)),
        ]
        for change, title, index, before, after in rows[:_MOST_CLASSES_IN_TABLE]
    ]
    shown = f" ({_MOST_CLASSES_IN_TABLE} of {len(rows):,})" if len(rows) > len(cells) else ""
    body = table(
        ["Class", "Pictures in A", "F1 of A", "F1 of B", "Change"],
        cells,
        caption=f"Classes by how much F1 changed from A to B{shown}",
        sortable=True,
    )
    return Section("classes", "Class by class", body)


def matrices_section(comparison: Comparison) -> Section:
    """Return the section with both confusion matrices."""
    style = "pair" if len(comparison.left.classes) <= MOST_CLASSES else None
    figures = [
        element("figure", element("figcaption", f"{letter}: ", name(one.name)), matrix(one))
        for letter, one in (("A", comparison.left), ("B", comparison.right))
    ]
    return Section("confusion", "What is taken for what", element("div", *figures, class_=style))


def diagrams_section(comparison: Comparison) -> Section:
    """Return the section with both reliability diagrams."""
    figures = [
        element(
            "div",
            element("h3", f"{letter}: ", name(one.name)),
            paragraph(f"Expected calibration error {percent(one.calibration.error)}"),
            diagram(one),
        )
        for letter, one in (("A", comparison.left), ("B", comparison.right))
    ]
    words = paragraph(
        "A bar that ends on the dashed line means: right as often as it was sure. Below the line, "
        "the model is surer than it is right."
    )
    body = join([words, element("div", *figures, class_="pair")])
    return Section("reliability", "Can their confidence be believed?", body)


def changed_pictures_section(comparison: Comparison, thumbnail: Thumbnailer | None) -> Section:
    """Return the section with pictures that only one of the two has right."""
    parts: list[Markup] = [without_pictures(thumbnail)]
    for title, mistakes in (
        ("Only B is right; what A said", comparison.mistakes_of_left),
        ("Only A is right; what B said", comparison.mistakes_of_right),
    ):
        parts.append(element("h3", title))
        parts.append(gallery(mistakes, thumbnail) if mistakes else paragraph("None."))
    return Section("pictures", "Pictures that tell them apart", join(parts))


def _tile(evaluation: Evaluation, letter: str) -> Markup:
    low, high = evaluation.accuracy_interval
    words = (
        f"{evaluation.right:,} of {count(evaluation.images, 'picture')}; "
        f"{percent(low)} to {percent(high)} with 95 % confidence"
    )
    value = percent(evaluation.averages.overall_accuracy)
    return tile(f"{letter}: {evaluation.name}", value, words, first=True)


def _figures_table(left: Evaluation, right: Evaluation) -> Markup:
    rows = []
    for title, before in left.summary().items():
        after = right.summary()[title]
        show = decimals if title == "Log_Loss" else percent
        change = after - before
        words = f"{change:+.3f}" if title == "Log_Loss" else points(change)
        good = -change if title in _LOWER_IS_BETTER else change
        rows.append(
            [
                Cell(title.replace("_", " ")),
                Cell(show(before), before, "number"),
                Cell(show(after), after, "number"),
                _difference(good, words),
            ]
        )
    return table(["Figure", "A", "B", "From A to B"], rows, caption="Both models in figures")


def _difference(good: float, words: str) -> Cell:
    if np.isclose(good, 0, atol=5e-4):
        return Cell("same", 0.0, "number")
    style = "better" if good > 0 else "worse"
    return Cell(element("span", f"{words} {style}", class_=style), good, "number")
