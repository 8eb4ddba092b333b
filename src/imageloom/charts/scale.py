"""From values to places on a drawing, with ticks at round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """A straight map from values to coordinates.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``, above ``low``.
        start: Coordinate of ``low``.
        end: Coordinate of ``high``; below ``start`` for a vertical axis.
        ticks: Round values between ``low`` and ``high``, rising.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def scale_for(
    values: Iterable[float], start: float, end: float, *, most_ticks: int, from_zero: bool = False
) -> Scale:
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
    return Scale(low=ticks[0], high=ticks[-1], start=start, end=end, ticks=ticks)


def epoch_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """Return a scale for epochs: from the first to the last value, ticks at whole numbers."""
    values = list(values)
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = max(1, math.ceil(tick_step(high - low, 8)))
    first = math.ceil(low / step)
    ticks = tuple(float(index * step) for index in range(first, math.floor(high / step) + 1))
    return Scale(low=low, high=high, start=start, end=end, ticks=ticks)


def tick_step(span: float, most_steps: int) -> float:
    """Return the least of 1, 2, 2.5, 5 times a power of ten that needs at most so many steps."""
    power = 10.0 ** math.floor(math.log10(span / most_steps))
    return next(step * power for step in _STEPS if span <= step * power * most_steps * (1 + 1e-9))
