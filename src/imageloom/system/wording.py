"""Counts, lists and times as people read them, on the screen and in reports."""

from collections.abc import Sequence


def count(number: int, singular: str, plural: str = "") -> str:
    """Return ``1 picture`` or ``1,234 pictures``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def some(names: Sequence[str], *, most: int = 3, total: int | None = None) -> str:
    """Return the first names and how many more there are: ``a, b, c and 5,997 more``.

    Whatever a message, a record or a screen lists goes through here, so that six thousand equal
    pictures take one line.

    Args:
        names: What to list, already quoted where that helps; only the first ``most`` are read.
        most: How many are shown.
        total: How many there are, where ``names`` holds only the first of them.
    """
    total = len(names) if total is None else total
    shown = ", ".join(names[:most])
    return f"{shown} and {total - most:,} more" if total > most else shown


def mebibytes(number: int) -> str:
    """Return a size in bytes as ``1,024 MiB``."""
    return f"{number / 2**20:,.0f} MiB"


def duration(seconds: float) -> str:
    """Return a time as ``42 s``, ``3 min 05 s`` or ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
