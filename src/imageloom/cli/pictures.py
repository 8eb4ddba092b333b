"""How an image directory is shown: pictures per class, what was left out and why."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.flags import F, parameter_options, read_params
from imageloom.cli.screen import Column, line, percent, table
from imageloom.data.params import SHORTCUT_PARAMETERS, ConvertParams
from imageloom.preprocessing.similar_names import shown
from imageloom.system.wording import count

if TYPE_CHECKING:
    from imageloom.data.images.directory import ImageDirectory, Rejected

CLASSES_SHOWN: Final = 20
REASONS_SHOWN: Final = 8


def shortcut_options(*names: str) -> Callable[[F], F]:
    """Add the options that tell how plain pictures are read, under a heading of their own.

    Args:
        names: Parameters of ``ConvertParams`` that play a part; by default all that have options.
    """
    chosen = names or SHORTCUT_PARAMETERS
    return parameter_options(ConvertParams, section="Plain pictures", only=chosen)


def shortcut_params(given: Mapping[str, object]) -> ConvertParams:
    """Return how plain pictures are read, from the options that ``shortcut_options`` adds.

    Other parameters of a command may have the same names and mean something else.

    Args:
        given: What was given to the command, by parameter name.
    """
    own = {name: value for name, value in given.items() if name in SHORTCUT_PARAMETERS}
    return read_params(ConvertParams, own)


def to_json(images: "ImageDirectory") -> dict[str, object]:
    """Return what ``--json`` says of an image directory."""
    return {
        "images": len(images),
        "classes": list(images.classes),
        "images_per_class": images.counts,
        "labelled": images.is_labelled,
        **({"several_labels": True} if images.has_several_labels else {}),
        "left_out": len(images.rejected),
        "left_out_reasons": images.left_out,
        "digest": images.digest,
    }


def class_table(
    counts: Mapping[str, Mapping[str, int]], *, has_several_labels: bool = False
) -> tuple[RenderableType, ...]:
    """Return pictures per class, one column for each image directory.

    Args:
        counts: Pictures per class of each image directory, by its name. All have the same classes
            in the same order; with none, there is nothing to show.
        has_several_labels: Whether a picture may have several, so that the sum counts labels.
    """
    names = list(next(iter(counts.values())))
    if not names:
        return ()
    rows = [[shown(name), *(f"{column[name]:,}" for column in counts.values())] for name in names]
    hidden = len(rows) - CLASSES_SHOWN
    if hidden > 1:
        rows = [*rows[:CLASSES_SHOWN], [f"and {hidden:,} more", *("" for _ in counts)]]
    total = [
        "all labels" if has_several_labels else "all",
        *(f"{sum(column.values()):,}" for column in counts.values()),
    ]
    columns: list[Column] = [("Class", "left"), *((name, "right") for name in counts)]
    grid = table(columns, rows)
    grid.add_row(*total, style="bold")
    return (grid,)


def left_out(
    rejected: "Sequence[Rejected]", images: int, listing: Path | None
) -> tuple[RenderableType, ...]:
    """Return how many files were left out, the commonest reasons, and where all are listed.

    Args:
        rejected: The files.
        images: Pictures that were not left out.
        listing: File with one line per left-out file, or None when there is none to name.
    """
    if not rejected:
        return ()
    share = percent(len(rejected) / (images + len(rejected)))
    title = f"{count(len(rejected), 'file')} left out ({share}):"
    parts = listed(rejected, title, "yellow")
    return parts if listing is None else (*parts, line("List", str(listing)))


def listed(files: "Sequence[Rejected]", title: str, style: str) -> tuple[RenderableType, ...]:
    """Return the commonest reasons with an example of each; nothing without files."""
    if not files:
        return ()
    rows = [[f"{n:,}", reason, _example(files, reason)] for reason, n in _reasons(files)]
    return (
        Text(title, style=style),
        table(
            [("Files", "right"), ("Reason", "left"), ("For example", "left")],
            rows[:REASONS_SHOWN],
        ),
    )


def _reasons(rejected: "Sequence[Rejected]") -> list[tuple[str, int]]:
    return Counter(one.reason for one in rejected).most_common()


def _example(rejected: "Sequence[Rejected]", reason: str) -> str:
    return next(one.file for one in rejected if one.reason == reason)
