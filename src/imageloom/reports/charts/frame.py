"""What charts of values have in common: their size, and the two axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from imageloom.reports.charts.markup import Markup, element, join
from imageloom.reports.charts.scale import AxisScale, hides_most, log_scale, scale_for

MOST_TICKS: Final = 7


@dataclass(frozen=True)
class Frame:
    """Where the values of a chart stand; all in the units of its picture.

    Attributes:
        top: Of the area of values; what stands above it is the chart's own.
        below: Height of what stands below that area.
        width: Of the chart.
        height: Of the chart.
        left: Where the area begins.
        right: Where it ends.
    """

    top: float
    below: float
    width: float = 560.0
    height: float = 310.0
    left: float = 62.0
    right: float = 544.0

    @property
    def bottom(self) -> float:
        """Where the area of values ends."""
        return self.height - self.below

    @property
    def view_box(self) -> str:
        """As SVG wants it."""
        return f"0 0 {self.width:g} {self.height:g}"

    def value_scale(self, values: Sequence[float], *, from_zero: bool = False) -> AxisScale:
        """Return the scale of the left axis, logarithmic where a few values would hide the rest."""
        if not from_zero and hides_most(values):
            return log_scale(values, self.bottom, self.top, most_ticks=MOST_TICKS)
        return scale_for(values, self.bottom, self.top, most_ticks=MOST_TICKS, from_zero=from_zero)

    def left_axis(self, y: AxisScale, words: Callable[[float], str]) -> Markup:
        """Return the axis of values, which says so where it is logarithmic."""
        rows = [
            part
            for tick in y.ticks
            for part in (
                element("line", x1=self.left, x2=self.right, y1=y(tick), y2=y(tick), class_="grid"),
                element("text", words(tick), x=self.left - 8, y=y(tick) + 4, class_="tick end"),
            )
        ]
        kind = element("text", "logarithmic axis", x=6, y=self.top - 12, class_="tick start")
        return join([*rows, kind if y.is_log else Markup()])

    def lower_axis(self, x: AxisScale, title: str, words: Sequence[str] = ()) -> Markup:
        """Return the lower axis, with words for its ticks, or by default their numbers."""
        columns = [
            element("text", text, x=x(tick), y=self.bottom + 18, class_="tick middle")
            for tick, text in zip(x.ticks, words or [f"{tick:g}" for tick in x.ticks], strict=True)
        ]
        base = element(
            "line", x1=self.left, x2=self.right, y1=self.bottom, y2=self.bottom, class_="axis"
        )
        middle = (self.left + self.right) / 2
        label = element("text", title, x=middle, y=self.height - 6, class_="tick middle")
        return join([*columns, base, label])
