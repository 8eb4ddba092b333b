"""Quotients that are 0 where the denominator is 0."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def ratio(part: float, whole: float) -> float:
    """Return part / whole, or 0 when the whole is 0."""
    return part / whole if whole else 0.0


def ratios(
    parts: npt.NDArray[np.integer] | npt.NDArray[np.floating], wholes: npt.NDArray[np.integer]
) -> Floats:
    """Return parts / wholes place by place, 0 where a whole is 0, without a warning."""
    quotients: Floats = np.zeros(len(wholes), dtype=np.float64)
    np.divide(parts, wholes, out=quotients, where=wholes != 0)
    return quotients
