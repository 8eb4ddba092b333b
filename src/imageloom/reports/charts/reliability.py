"""Reliability diagrams as SVG: how often a model is right when it is so sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts.markup import Markup, element, join
from imageloom.reports.charts.scale import AxisScale
from imageloom.system.wording import count

_SIZE: Final = 300.0
_LEFT: Final = 62.0
_TOP: Final = 14.0
_HISTOGRAM: Final = 56.0
_GAP: Final = 14.0
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class ReliabilityBin:
    """Pictures whose confidence lies between two bounds; all but ``images`` are 0 to 1."""

    lower: float
    upper: float
    images: int
    mean_confidence: float
    accuracy: float


def reliability_diagram(bins: Sequence[ReliabilityBin], *, title: str) -> Markup:
    """Return accuracy over confidence, with the number of pictures of each bin below.

    A bar that ends below the diagonal is a model that is surer than it is right.

    Args:
        bins: From low to high confidence.
        title: What a screen reader says.
    """
    x = AxisScale(0, 1, _LEFT, _LEFT + _SIZE, _TICKS)
    y = AxisScale(0, 1, _TOP + _SIZE, _TOP, _TICKS)
    filled = [one for one in bins if one.images]
    height = _TOP + _SIZE + _GAP + _HISTOGRAM + 40
    return element(
        "svg",
        element("title", title),
        element("desc", " ".join(map(_words, filled))),
        _axes(x, y),
        *(_bar(one, x, y) for one in filled),
        element("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="diagonal"),
        _histogram(filled, x, _TOP + _SIZE + _GAP),
        _x_axis(x, _TOP + _SIZE + _GAP + _HISTOGRAM),
        class_="chart reliability",
        viewBox=f"0 0 {_LEFT + _SIZE + 14:g} {height:g}",
        role="img",
    )


def _words(one: ReliabilityBin) -> str:
    return (
        f"{count(one.images, 'picture')} scored with {one.lower:.0%} to {one.upper:.0%}: mean "
        f"confidence {one.mean_confidence:.1%}, right in {one.accuracy:.1%}."
    )


def _axes(x: AxisScale, y: AxisScale) -> Markup:
    return join(
        [
            *(
                join(
                    [
                        element("line", x1=x(0), x2=x(1), y1=y(t), y2=y(t), class_="grid"),
                        element("text", f"{t:.0%}", x=x(0) - 8, y=y(t) + 4, class_="tick end"),
                    ]
                )
                for t in _TICKS
            ),
            element(
                "text",
                "right",
                transform=f"translate(11 {y(0.5):g}) rotate(-90)",
                class_="tick middle",
            ),
        ]
    )


def _bar(one: ReliabilityBin, x: AxisScale, y: AxisScale) -> Markup:
    left, width = x(one.lower) + 1, x(one.upper) - x(one.lower) - 2
    low, high = sorted((one.accuracy, one.mean_confidence))
    gap = "gap" if one.accuracy < one.mean_confidence else "gap under"
    return element(
        "g",
        element("title", _words(one)),
        element(
            "rect",
            x=left,
            y=y(one.accuracy),
            width=width,
            height=y(0) - y(one.accuracy),
            class_="hit",
            fill_opacity=0.85,
        ),
        element("rect", x=left, y=y(high), width=width, height=y(low) - y(high), class_=gap),
    )


def _histogram(filled: Sequence[ReliabilityBin], x: AxisScale, top: float) -> Markup:
    most = max((one.images for one in filled), default=1)
    bars = []
    for one in filled:
        height = max(1.0, one.images / most * _HISTOGRAM)
        bars.append(
            element(
                "g",
                element("title", count(one.images, "picture")),
                element(
                    "rect",
                    x=x(one.lower) + 1,
                    y=top + _HISTOGRAM - height,
                    width=x(one.upper) - x(one.lower) - 2,
                    height=height,
                    class_="count-bar",
                ),
            )
        )
    middle = top + _HISTOGRAM / 2
    words = element(
        "text", "images", transform=f"translate(11 {middle:g}) rotate(-90)", class_="tick middle"
    )
    peak = element("text", f"{most:,}", x=x(0) - 8, y=top + 9, class_="tick end")
    return join([*bars, words, peak])


def _x_axis(x: AxisScale, top: float) -> Markup:
    ticks = [element("text", f"{t:.0%}", x=x(t), y=top + 16, class_="tick middle") for t in _TICKS]
    return join(
        [
            element("line", x1=x(0), x2=x(1), y1=top, y2=top, class_="axis"),
            *ticks,
            element("text", "how sure the model was", x=x(0.5), y=top + 34, class_="tick middle"),
        ]
    )
