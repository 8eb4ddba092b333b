"""Precision against recall of one label at every threshold, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts.markup import Markup, element
from imageloom.reports.charts.scale import AxisScale

_SIZE: Final = 200.0
_LEFT: Final = 50.0
_TOP: Final = 12.0
_BOTTOM: Final = 42.0
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class OperatingPoint:
    """Where a threshold stands on the curve.

    Attributes:
        recall: 0 to 1.
        precision: 0 to 1.
        words: What it is, for whoever points at it.
    """

    recall: float
    precision: float
    words: str


def precision_recall_chart(
    points: Sequence[tuple[float, float]],
    *,
    title: str,
    share: float,
    chosen: OperatingPoint | None,
) -> Markup:
    """Return the curve as steps, with what chance would give and the threshold that is used.

    Args:
        points: Recall and precision, by rising recall; at least one.
        title: What a screen reader says.
        share: Fraction of the pictures that have the label: the precision of giving it to all.
        chosen: Where the threshold in use stands, or None.
    """
    x = AxisScale(0, 1, _LEFT, _LEFT + _SIZE, _TICKS)
    y = AxisScale(0, 1, _TOP + _SIZE, _TOP, _TICKS)
    return element(
        "svg",
        element("title", title),
        *_axes(x, y),
        element("line", x1=x(0), x2=x(1), y1=y(share), y2=y(share), class_="mark"),
        element("polyline", points=_steps(points, x, y), class_="line s0"),
        _dot(chosen, x, y) if chosen else Markup(),
        class_="chart",
        viewBox=f"0 0 {_LEFT + _SIZE + 14:g} {_TOP + _SIZE + _BOTTOM:g}",
        role="img",
    )


def _steps(points: Sequence[tuple[float, float]], x: AxisScale, y: AxisScale) -> str:
    """Return the places of the curve: each precision holds from the last recall to its own."""
    places, last = [], 0.0
    for recall, precision in points:
        places += [(last, precision), (recall, precision)]
        last = recall
    return " ".join(f"{x(recall):.1f},{y(precision):.1f}" for recall, precision in places)


def _axes(x: AxisScale, y: AxisScale) -> list[Markup]:
    parts = []
    for tick in _TICKS:
        parts += [
            element("line", x1=x(0), x2=x(1), y1=y(tick), y2=y(tick), class_="grid"),
            element("text", f"{tick:.0%}", x=x(0) - 8, y=y(tick) + 4, class_="tick end"),
            element("text", f"{tick:.0%}", x=x(tick), y=y(0) + 16, class_="tick middle"),
        ]
    turned = f"translate(11 {y(0.5):g}) rotate(-90)"
    return [
        *parts,
        element("text", "precision", transform=turned, class_="tick middle"),
        element("text", "recall", x=x(0.5), y=y(0) + 34, class_="tick middle"),
    ]


def _dot(chosen: OperatingPoint, x: AxisScale, y: AxisScale) -> Markup:
    at_x, at_y = x(chosen.recall), y(chosen.precision)
    return element(
        "g",
        element("title", chosen.words),
        element("circle", cx=at_x, cy=at_y, r=9, class_="hover"),
        element("circle", cx=at_x, cy=at_y, r=5, class_="dot s1"),
    )
