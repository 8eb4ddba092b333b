"""How far a figure from few pictures can be trusted."""

import math
from typing import Final

_Z_95: Final = 1.959963984540054  # the normal distribution's 97.5 % point


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a fraction, 0 to 1.

    It stays inside 0..1 and is usable for few pictures and for fractions near 0 or 1, where the
    textbook interval is not. Without pictures nothing is known: (0, 1).

    Source:
        Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference.
    """
    if total == 0:
        return 0.0, 1.0
    z2 = _Z_95**2
    fraction = right / total
    middle = (fraction + z2 / (2 * total)) / (1 + z2 / total)
    spread = fraction * (1 - fraction) / total + z2 / (4 * total**2)
    half = _Z_95 * math.sqrt(spread) / (1 + z2 / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def chance_of_difference(only_first: int, only_second: int) -> float:
    """Return how likely so uneven a split is between two models that are equally good.

    Args:
        only_first: Pictures that only the first model has right.
        only_second: Pictures that only the second model has right.

    Returns:
        The two-sided p-value, 0 to 1; 1 when there is no such picture.

    Source:
        McNemar 1947, in its exact (binomial) form.
    """
    total = only_first + only_second
    if total == 0:
        return 1.0
    # Logarithms, because the binomial coefficients of 50,000 pictures do not fit a float.
    log_terms = [
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        for k in range(min(only_first, only_second) + 1)
    ]
    highest = max(log_terms)
    tail = sum(math.exp(term - highest) for term in log_terms)
    return min(1.0, math.exp(math.log(2 * tail) + highest - total * math.log(2)))
