"""Charts of dots, each a thing with a number and where it was found, as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts.markup import Markup, element, join
from imageloom.reports.charts.scale import AxisScale, hides_most, log_scale, scale_for

_WIDTH: Final = 560.0
_HEIGHT: Final = 310.0
_LEFT: Final = 62.0
_RIGHT: Final = 16.0
_TOP: Final = 26.0
_BOTTOM: Final = 46.0
_MOST_TICKS: Final = 7
_MOST_CHARS: Final = 12  # of a label below one of several values


@dataclass(frozen=True)
class Dot:
    """One dot.

    Attributes:
        x: Where it stands, finite; on an axis of names the position of its name, from 0.
        y: Its number, finite.
        text: What it tells on hover.
        style: Colour, 0 to 3.
    """

    x: float
    y: float
    text: str
    style: int = 0


@dataclass(frozen=True)
class DotAxis:
    """The lower axis.

    Attributes:
        title: What stands below it.
        names: Names at 0, 1, 2, ...; a straight or logarithmic axis when empty.
        is_log: Logarithmic; all x are above 0 then.
    """

    title: str
    names: tuple[str, ...] = ()
    is_log: bool = False


def dot_chart(
    dots: Sequence[Dot],
    axis: DotAxis,
    *,
    title: str,
    tick: Callable[[float], str],
    steps: Sequence[tuple[float, float]] = (),
) -> Markup:
    """Return a chart of dots.

    Where a few high numbers would hide the rest, their axis is logarithmic and says so.

    Args:
        dots: At least one.
        axis: The lower axis.
        title: What a screen reader says.
        tick: Turns a round number into text for the left axis.
        steps: Corners of a line behind the dots, such as the best so far, by rising x.
    """
    x = _lower_scale([one.x for one in dots], axis)
    y = _left_scale([one.y for one in dots])
    return element(
        "svg",
        element("title", title),
        _left_axis(y, tick),
        _lower_axis(x, axis),
        _stairs(steps, x, y),
        *(_dot(one, x, y) for one in dots),
        class_="chart",
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
    )


def _lower_scale(values: Sequence[float], axis: DotAxis) -> AxisScale:
    right = _WIDTH - _RIGHT
    if axis.names:
        places = tuple(map(float, range(len(axis.names))))
        return AxisScale(-0.5, len(places) - 0.5, _LEFT, right, places)
    if axis.is_log:
        return log_scale(values, _LEFT, right, most_ticks=_MOST_TICKS)
    return scale_for(values, _LEFT, right, most_ticks=_MOST_TICKS)


def _left_scale(values: Sequence[float]) -> AxisScale:
    bottom = _HEIGHT - _BOTTOM
    if hides_most(values):
        return log_scale(values, bottom, _TOP, most_ticks=_MOST_TICKS)
    return scale_for(values, bottom, _TOP, most_ticks=_MOST_TICKS)


def _left_axis(y: AxisScale, words: Callable[[float], str]) -> Markup:
    rows = [
        part
        for tick in y.ticks
        for part in (
            element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid"),
            element("text", words(tick), x=_LEFT - 8, y=y(tick) + 4, class_="tick end"),
        )
    ]
    kind = element("text", "logarithmic axis", x=6, y=_TOP - 12, class_="tick start")
    return join([*rows, kind if y.is_log else Markup()])


def _lower_axis(x: AxisScale, axis: DotAxis) -> Markup:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    words = [_short(one) for one in axis.names] or [f"{tick:g}" for tick in x.ticks]
    columns = [
        element("text", text, x=x(tick), y=bottom + 18, class_="tick middle")
        for tick, text in zip(x.ticks, words, strict=True)
    ]
    base = element("line", x1=_LEFT, x2=right, y1=bottom, y2=bottom, class_="axis")
    kind = f"{axis.title} (logarithmic axis)" if axis.is_log else axis.title
    label = element("text", kind, x=(_LEFT + right) / 2, y=_HEIGHT - 6, class_="tick middle")
    return join([*columns, base, label])


def _short(name: str) -> str:
    return name if len(name) <= _MOST_CHARS else name[: _MOST_CHARS - 3] + "..."


def _stairs(steps: Sequence[tuple[float, float]], x: AxisScale, y: AxisScale) -> Markup:
    if len(steps) < 2:
        return Markup()
    path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in steps)
    return element("polyline", points=path, class_="line s1")


def _dot(one: Dot, x: AxisScale, y: AxisScale) -> Markup:
    px, py = x(one.x), y(one.y)
    return element(
        "g",
        element("title", one.text),
        element("circle", cx=px, cy=py, r=8, class_="hover"),
        element("circle", cx=px, cy=py, r=4, class_=f"dot s{one.style % 4}"),
    )
