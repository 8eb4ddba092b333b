"""Charts of dots, each a thing with a number and where it was found, as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts.frame import MOST_TICKS, Frame
from imageloom.reports.charts.markup import Markup, element
from imageloom.reports.charts.scale import AxisScale, log_scale, scale_for

_FRAME: Final = Frame(top=26.0, below=46.0)
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
    y = _FRAME.value_scale([one.y for one in dots])
    return element(
        "svg",
        element("title", title),
        _FRAME.left_axis(y, tick),
        _FRAME.lower_axis(
            x,
            f"{axis.title} (logarithmic axis)" if axis.is_log else axis.title,
            [_short(one) for one in axis.names],
        ),
        _stairs(steps, x, y),
        *(_dot(one, x, y) for one in dots),
        class_="chart",
        viewBox=_FRAME.view_box,
        role="img",
    )


def _lower_scale(values: Sequence[float], axis: DotAxis) -> AxisScale:
    right = _FRAME.right
    if axis.names:
        places = tuple(map(float, range(len(axis.names))))
        return AxisScale(-0.5, len(places) - 0.5, _FRAME.left, right, places)
    if axis.is_log:
        return log_scale(values, _FRAME.left, right, most_ticks=MOST_TICKS)
    return scale_for(values, _FRAME.left, right, most_ticks=MOST_TICKS)


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
