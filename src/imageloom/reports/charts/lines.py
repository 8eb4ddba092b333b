"""Line charts over epochs, as SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts.frame import Frame
from imageloom.reports.charts.markup import Markup, element, join
from imageloom.reports.charts.scale import AxisScale, epoch_scale

_FRAME: Final = Frame(top=50.0, below=42.0)
_MOST_POINTS: Final = 400
_MOST_DOTS: Final = 30
_CHAR: Final = 6.6  # mean width of a character at 12 px, for the legend


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        name: As it stands in the legend.
        points: Epoch and value, both finite, by rising epoch.
        style: Colour and dashes, 0 to 3; told apart without colour too.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    style: int = 0


@dataclass(frozen=True)
class Mark:
    """A place on the epoch axis that has a meaning, such as the best epoch."""

    epoch: float
    text: str


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    show: Callable[[float], str],
    tick: Callable[[float], str],
    mark: Mark | None = None,
    from_zero: bool = False,
) -> Markup:
    """Return a chart of one or more lines; every point tells its value on hover.

    Where a few high values would hide the rest, the value axis is logarithmic and says so.

    Args:
        series: Lines; those without points are left out.
        title: What a screen reader says, with a description of each line.
        show: Turns a value into text.
        tick: Turns a round value into text for the axis.
        mark: An epoch to point out.
        from_zero: Begin the value axis at 0.
    """
    series = [_thinned(line) for line in series if line.points]
    assert series, "a chart without points is not drawn"
    x = epoch_scale([at for line in series for at, _ in line.points], _FRAME.left, _FRAME.right)
    values = [value for line in series for _, value in line.points]
    y = _FRAME.value_scale(values, from_zero=from_zero)
    return element(
        "svg",
        element("title", title),
        element("desc", " ".join(_describe(line, show) for line in series)),
        _FRAME.left_axis(y, tick),
        _FRAME.lower_axis(x, "epoch"),
        _mark(mark, x) if mark else Markup(),
        *(_line(line, x, y, show) for line in series),
        _legend(series),
        class_="chart",
        viewBox=_FRAME.view_box,
        role="img",
    )


def _thinned(line: Series) -> Series:
    """Keep the lowest and highest point of each stretch, so that no peak is lost."""
    points = line.points
    if len(points) <= _MOST_POINTS:
        return line
    stretch = math.ceil(len(points) / (_MOST_POINTS // 2))
    kept: set[tuple[float, float]] = {points[0], points[-1]}
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        kept |= {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
    return Series(line.name, tuple(sorted(kept)), line.style)


def _describe(line: Series, show: Callable[[float], str]) -> str:
    (first, start), (last, end) = line.points[0], line.points[-1]
    low, high = (bound(value for _, value in line.points) for bound in (min, max))
    return (
        f"{line.name}: {show(start)} at epoch {first:.3g}, {show(end)} at epoch {last:.3g}, "
        f"lowest {show(low)}, highest {show(high)}."
    )


def _mark(mark: Mark, x: AxisScale) -> Markup:
    at = x(mark.epoch)
    side = "end" if at > _FRAME.width / 2 else "start"
    return join(
        [
            element("line", x1=at, x2=at, y1=_FRAME.top, y2=_FRAME.bottom, class_="mark"),
            element(
                "text",
                mark.text,
                x=at + (-6 if side == "end" else 6),
                y=_FRAME.top - 6,
                class_=f"tick {side}",
            ),
        ]
    )


def _line(line: Series, x: AxisScale, y: AxisScale, show: Callable[[float], str]) -> Markup:
    style = f"s{line.style % 4}"
    places = [(x(at), y(value)) for at, value in line.points]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    dots = len(line.points) <= _MOST_DOTS
    hovers = [
        element(
            "g",
            element("title", f"{line.name}, epoch {at:.4g}: {show(value)}"),
            element("circle", cx=px, cy=py, r=7, class_="hover"),
            element("circle", cx=px, cy=py, r=3, class_=f"dot {style}") if dots else Markup(),
        )
        for (at, value), (px, py) in zip(line.points, places, strict=True)
    ]
    return element("g", element("polyline", points=path, class_=f"line {style}"), *hovers)


def _legend(series: Sequence[Series]) -> Markup:
    parts = []
    left = _FRAME.left
    for line in series:
        style = f"s{line.style % 4}"
        parts.append(element("line", x1=left, x2=left + 26, y1=16, y2=16, class_=f"line {style}"))
        parts.append(element("text", line.name, x=left + 32, y=20, class_="legend"))
        left += 32 + len(line.name) * _CHAR + 22
    return join(parts)
