"""Numbers as people read them."""

from typing import Final

_SPACE: Final = "\u00a0"  # no line break between a number and its unit
_MINUS: Final = "\u2212"


def percent(fraction: float) -> str:
    """Return a fraction as percent with one decimal; never 0 or 100 unless it is exactly that."""
    if 0 < fraction < 0.0005:
        return f"<{_SPACE}0.1{_SPACE}%"
    if 0.9995 <= fraction < 1:
        return f">{_SPACE}99.9{_SPACE}%"
    return f"{100 * fraction:.1f}{_SPACE}%"


def whole_percent(fraction: float) -> str:
    """Return a round fraction for an axis: ``80 %``, ``97.5 %``."""
    return f"{100 * fraction:g}{_SPACE}%"


def points(difference: float) -> str:
    """Return the difference of two fractions in percentage points, with its sign."""
    return f"{100 * difference:+.1f}{_SPACE}points".replace("-", _MINUS)


def decimals(value: float) -> str:
    """Return a number with about three significant digits, without an exponent where possible."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:.3g}"
