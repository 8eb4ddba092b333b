"""From values to places on a drawing, with ticks at round numbers."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1, 2, 2.5, 5, 10)
_HIDING_RATIO: Final = 20


@dataclass(frozen=True)
class AxisScale:
    """A map from values to coordinates: straight, or by the values' logarithms.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``, above ``low``.
        start: Coordinate of ``low``.
        end: Coordinate of ``high``; below ``start`` for a vertical axis.
        ticks: Round values between ``low`` and ``high``, rising.
        is_log: Equal ratios, not equal differences, have equal lengths; all values are above 0.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        low, high = self.low, self.high
        if self.is_log:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def scale_for(
    values: Iterable[float], start: float, end: float, *, most_ticks: int, from_zero: bool = False
) -> AxisScale:
    """Return a scale that holds all values and begins and ends at a tick.

    Args:
        values: At least one, all finite.
        start: Coordinate of the lowest.
        end: Coordinate of the highest.
        most_ticks: At least 2.
        from_zero: Begin at 0 whatever the lowest value is.
    """
    values = list(values)
    low, high = min(values), max(values)
    low = min(low, 0.0) if from_zero else low
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        pad = abs(high) / 2 or 0.5
        low, high = (low if from_zero else low - pad), high + pad
    step = tick_step(high - low, most_ticks - 2 if most_ticks > 2 else 1)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Text of 12 digits: 3 * 0.1 is 0.3, and a learning rate of 1e-15 is not 0.
    ticks = tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))
    return AxisScale(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=ticks)


def hides_most(values: Iterable[float]) -> bool:
    """Whether a few high values would press most of the others flat against a straight axis.

    That is when the highest is over 20 times the middle one: half of the values would then share a
    twentieth of the height. A value that is not above 0 has no place on a logarithmic axis.

    Args:
        values: At least one, all finite.
    """
    values = list(values)
    return min(values) > 0 and max(values) > _HIDING_RATIO * statistics.median(values)


def log_scale(values: Iterable[float], start: float, end: float, *, most_ticks: int) -> AxisScale:
    """Return a logarithmic scale that holds all values, from one power of ten to another.

    Args:
        values: At least one, all above 0 and finite.
        start: Coordinate of the lowest.
        end: Coordinate of the highest.
        most_ticks: At least 2; of more powers of ten every second, third, ... is a tick.
    """
    values = list(values)
    first = math.floor(math.log10(min(values)) + 1e-9)
    last = max(first + 1, math.ceil(math.log10(max(values)) - 1e-9))
    step = math.ceil((last - first) / (most_ticks - 1))
    ticks = tuple(10.0**power for power in range(first, last + step, step))
    return AxisScale(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=ticks, is_log=True)


def epoch_scale(values: Iterable[float], start: float, end: float) -> AxisScale:
    """Return a scale for epochs: from the first to the last value, ticks at whole numbers."""
    values = list(values)
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = max(1, math.ceil(tick_step(high - low, 8)))
    first = math.ceil(low / step)
    ticks = tuple(float(index * step) for index in range(first, math.floor(high / step) + 1))
    return AxisScale(low=low, high=high, start=start, end=end, ticks=ticks)


def tick_step(span: float, most_steps: int) -> float:
    """Return the least of 1, 2, 2.5, 5 times a power of ten that needs at most so many steps."""
    power = 10.0 ** math.floor(math.log10(span / most_steps))
    return next(step * power for step in _STEPS if span <= step * power * most_steps * (1 + 1e-9))
