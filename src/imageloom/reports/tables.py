"""Tables that are whole without a script and can be sorted and searched with one."""

from collections.abc import Sequence
from dataclasses import dataclass

from imageloom.reports.charts import Markup, element
from imageloom.reports.page import name
from imageloom.reports.words import percent


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        content: Text or markup.
        value: What to sort by, or None for the text itself.
        style: Class of the style sheet: ``number``, ``barred`` or empty.
    """

    content: str
    value: float | None = None
    style: str = ""


def text_cell(text: str) -> Cell:
    """Return a cell with a class or file name."""
    return Cell(name(text))


def count_cell(number: int) -> Cell:
    """Return a cell with a whole number."""
    return Cell(f"{number:,}", float(number), "number")


def bar_cell(fraction: float, *, weak_below: float = 0.5) -> Cell:
    """Return a cell with a fraction, 0 to 1, as percent and as a bar."""
    weak = " weak" if fraction < weak_below else ""
    bar = element(
        "div",
        element("b", percent(fraction)),
        element("span", element("i", style=f"width: {100 * fraction:.1f}%")),
        class_=f"bar{weak}",
    )
    return Cell(bar, fraction, "barred")


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    caption: str,
    sortable: bool = False,
) -> Markup:
    """Return a table whose first column names the rows.

    Args:
        columns: Heads, one per cell of a row.
        rows: Cells; those of one column have one style.
        caption: What the table shows, for everybody and for screen readers.
        sortable: Let the script sort it.
    """
    styles = [cell.style for cell in rows[0]] if rows else [""] * len(columns)
    heads = [
        element("th", head, scope="col", class_=style if style == "number" else None)
        for head, style in zip(columns, styles, strict=True)
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *heads)),
            element("tbody", *map(_row, rows)),
            data_sortable="" if sortable else None,
        ),
        class_="scroll",
    )


def _row(cells: Sequence[Cell]) -> Markup:
    first, *others = cells
    return element(
        "tr",
        element("th", first.content, scope="row"),
        *(
            element(
                "td",
                cell.content,
                class_=cell.style or None,
                data_value=None if cell.value is None else f"{cell.value:.6g}",
            )
            for cell in others
        ),
    )
