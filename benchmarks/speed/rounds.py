"""Rounds in which what is compared is run in turn, and what they found, as tables.

Other load on the machine then meets all that is compared; ratios are those within a round.
"""

import statistics


def in_turn(names, num_rounds):
    """Yield round and name; each round begins with another name."""
    for number in range(num_rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            yield number, name


class Found:
    """Values by what was run and what was measured, one for each round."""

    def __init__(self):
        self.values = {}

    def add(self, name, **values):
        for measure, value in values.items():
            self.values.setdefault((name, measure), []).append(value)

    def leave_out(self, name):
        """Forget what was measured of a name that not all rounds can be measured of."""
        self.values = {key: found for key, found in self.values.items() if key[0] != name}

    def of(self, name, measure):
        return self.values.get((name, measure), [])

    def names(self):
        return list(dict.fromkeys(name for name, _ in self.values))

    def ratios(self, name, measure, other, other_measure=None):
        """Return the values of one name over those of another, round by round.

        Where one of the two was not run there are none.
        """
        own, others = self.of(name, measure), self.of(other, other_measure or measure)
        return [a / b for a, b in zip(own, others, strict=bool(own and others))]


def median_and_spread(values, digits=1, unit=1.0):
    """Return what a cell of a table says: the median and, of several values, least and most."""
    scaled = [value / unit for value in values]
    if not scaled:
        return ""
    middle = f"{statistics.median(scaled):,.{digits}f}"
    if len(scaled) == 1:
        return middle
    return f"{middle} ({min(scaled):,.{digits}f} to {max(scaled):,.{digits}f})"


def table(header, rows):
    """Return a table of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
