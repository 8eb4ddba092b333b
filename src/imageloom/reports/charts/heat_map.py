"""Confusion matrices as SVG: a map of cells for a few classes, a picture of dots for many."""

from collections.abc import Iterable, Sequence
from typing import Final

from imageloom.reports.charts.markup import Markup, element, join

MOST_CLASSES: Final = 30
"""Above this, names and counts cannot be read and ``dot_map`` is the better picture."""

_CHAR: Final = 6.3  # mean width of a character at 12 px
_LONGEST_NAME: Final = 22
_LEVELS: Final = 5
_MOST_DOTS: Final = 40_000


def heat_map(
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    row_totals: Sequence[int],
    *,
    title: str,
) -> Markup:
    """Return a map of who was taken for whom.

    Hits and misses have different colours; the deeper the colour, the larger the share of the
    row. Every cell that is not empty says on hover what it counts.

    Args:
        counts: Pictures by label (row) and given class (column).
        names: Of the classes, in this order.
        row_totals: Pictures of each label, also those in columns that are not shown.
        title: What a screen reader says.
    """
    size = min(92.0, max(17.0, 620 / (len(names) + 1)))
    shown = [shortened(name) for name in names]
    longest = max(map(len, shown)) * _CHAR
    margin, top = max(84.0, longest + 14), max(44.0, longest * 0.77 + 18)
    side = size * len(names)
    rows = [_row(row, counts[row], names, row_totals[row], size=size) for row in range(len(names))]
    grid = element("rect", x=0, y=0, width=side, height=side, class_="frame")
    # The last columns' names lean over the edge.
    width, height = margin + side + longest * 0.64 - size / 2 + 12, top + side + 2
    return element(
        "svg",
        element("title", title),
        element("desc", "Rows are true classes, columns the classes that were given."),
        element(
            "g",
            grid,
            *rows,
            *_labels(shown, names, size),
            _axis_words(),
            transform=f"translate({margin:.1f} {top:.1f})",
        ),
        class_="chart heat",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"max-width: {width:.0f}px",
        role="img",
    )


def shortened(name: str) -> str:
    """Return a name that fits beside a cell; the middle of a long one is left out."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:12]}…{name[-9:]}"


def _row(
    row: int, counts: Sequence[int], names: Sequence[str], total: int, *, size: float
) -> Markup:
    cells = []
    for column, count in enumerate(counts):
        if count == 0:
            continue
        share = count / total
        kind = "hit" if row == column else "miss"
        depth = _depth(share, kind)
        x, y = column * size, row * size
        words = (
            f"{count:,} of {total:,} pictures of {names[row]} were scored as {names[column]} "
            f"({share:.1%})"
        )
        cells.append(
            element(
                "g",
                element("title", words),
                element(
                    "rect",
                    x=x + 0.75,
                    y=y + 0.75,
                    width=size - 1.5,
                    height=size - 1.5,
                    rx=2,
                    class_=kind,
                    fill_opacity=0.08 + 0.92 * depth,
                ),
                _count(count, x + size / 2, y + size / 2, size),
            )
        )
    return join(cells)


def _depth(share: float, kind: str) -> float:
    """Return how deep a cell's colour is, 0 to 1."""
    # A few percent of mistakes would hardly show if they were drawn as weakly as they are.
    return share if kind == "hit" else float(share**0.65)


def _count(count: int, x: float, y: float, size: float) -> Markup:
    text = f"{count:,}" if count < 10_000 else f"{count // 1000:,}k"
    height = 15.0 if size > 70 else 12.0 if size > 30 else 10.0
    if len(text) * height * 0.6 > size - 3:
        return Markup()
    return element("text", text, x=x, y=y + height * 0.35, font_size=height, class_="count middle")


def _labels(shown: Sequence[str], names: Sequence[str], size: float) -> Iterable[Markup]:
    for index, (short, name) in enumerate(zip(shown, names, strict=True)):
        middle = (index + 0.5) * size
        title = element("title", name)
        yield element("text", short, title, x=-8, y=middle + 4, class_="name end")
        turn = f"translate({middle + 4:.1f} -8) rotate(-50)"
        yield element("text", short, title, transform=turn, class_="name")


def _axis_words() -> Markup:
    # In the empty corner: the columns' names lean to the right.
    return join(
        [
            element("text", "scored as →", x=-10, y=-26, class_="tick end"),
            element("text", "true class ↓", x=-10, y=-9, class_="tick end"),
        ]
    )


def dot_map(cells: Iterable[tuple[int, int, float]], num_classes: int, *, title: str) -> Markup:
    """Return the whole matrix of many classes as one picture, without names.

    Args:
        cells: Row, column and share of the row (0 to 1, above 0) of cells that are not empty.
        num_classes: Rows and columns.
        title: What a screen reader says.
    """
    # A dot of one class among a thousand would be less than a pixel, so dots may overlap.
    dot = max(1, num_classes // 200)
    back = (dot - 1) // 2
    strongest = sorted(cells, key=lambda cell: -cell[2])[:_MOST_DOTS]
    groups: dict[tuple[str, int], list[str]] = {}
    for row, column, share in strongest:
        kind = "hit" if row == column else "miss"
        depth = _depth(share, kind)
        level = min(_LEVELS - 1, int(depth * _LEVELS))
        groups.setdefault((kind, level), []).append(
            f"M{column - back} {row - back}h{dot}v{dot}h-{dot}z"
        )
    paths = [
        element("path", d="".join(squares), class_=kind, fill_opacity=(level + 1.5) / (_LEVELS + 1))
        for (kind, level), squares in sorted(groups.items())
    ]
    frame = element("rect", x=0, y=0, width=num_classes, height=num_classes, class_="frame")
    return element(
        "svg",
        element("title", title),
        element("desc", "Rows are true classes, columns the classes that were given, in order."),
        frame,
        *paths,
        class_="chart dots",
        viewBox=f"0 0 {num_classes} {num_classes}",
        shape_rendering="crispEdges",
        role="img",
    )
