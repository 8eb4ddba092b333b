"""What people see: consoles, lines and tables that no file name can disturb."""

import contextlib
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, TextIO, cast

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from imageloom.errors import printable

Column = tuple[str, Literal["left", "right"]]

_BOUNDLESS: Final = 100_000  # characters, to measure how wide something would like to be
_WIDTH_OF_A_FILE: Final = 120  # characters; a pipe or a log has no width of its own


class PatientConsole(Console):
    """A console that falls silent when nobody reads it any more, instead of ending the process."""

    def on_broken_pipe(self) -> None:
        """Write nothing from now on."""
        self.quiet = True


def open_console(stream: TextIO) -> Console:
    """Return a console that takes text literally: no markup, no emoji codes, no guessed colours.

    Colour follows the terminal and ``NO_COLOR``, as rich does.
    """
    console = PatientConsole(file=stream, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    return console


def stdout_console() -> Console:
    """Return the console for results."""
    return open_console(sys.stdout)


def stderr_console() -> Console:
    """Return the console for progress, warnings and errors.

    What cannot be written there is lost: a log on a full disk, or a terminal that was closed, must
    not stop the work that they only show.
    """
    return open_console(cast("TextIO", _Unfailing(sys.stderr)))


class _Unfailing:
    """A stream whose writing never fails.

    Args:
        stream: Where the text goes while it can.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write if that is possible."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written if that is possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        """Return whatever else the stream has, such as its encoding."""
        return getattr(self._stream, name)


def line(label: str, text: str, *, style: str = "") -> Text:
    """Return ``label  text`` with labels of one width; control characters are escaped."""
    return Text.assemble((f"{label:<9}", "bold"), (printable(text), style))


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, title: str = "") -> Table:
    """Return a table of text; names from strangers are escaped."""
    grid = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        pad_edge=False,
        show_edge=False,
    )
    for name, side in columns:
        grid.add_column(name, justify=side, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    return grid


class Fitting:
    """The first of some renderables that fits the width of the console, or else the last."""

    def __init__(self, *forms: RenderableType) -> None:
        self._forms = forms

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose when it is drawn, because only then the width is known."""
        boundless = options.update_width(_BOUNDLESS)
        for form in self._forms:
            if Measurement.get(console, boundless, form).maximum <= options.max_width:
                yield form
                return
        yield self._forms[-1]


class FromWidth:
    """One of two renderables: ``wide`` on a console of so many columns and more, else ``narrow``.

    For what has a column of sentences, which may fold, and so never fits as ``Fitting`` asks.
    """

    def __init__(self, columns: int, wide: RenderableType, narrow: RenderableType) -> None:
        self._columns = columns
        self._wide = wide
        self._narrow = narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose when it is drawn, because only then the width is known."""
        yield self._wide if options.max_width >= self._columns else self._narrow


def paint(grid: Table, column: int, styles: Sequence[str], *, firm: int) -> None:
    """Give the cells of one column of a table their styles, and keep its first columns unbroken.

    Args:
        grid: What ``table`` returned.
        column: Number of the column to paint.
        styles: One for each row.
        firm: How many columns from the left stay on one line; the others make room.
    """
    for one in grid.columns[:firm]:
        one.no_wrap = True
    for cell, style in zip(grid.columns[column].cells, styles, strict=True):
        assert isinstance(cell, Text)
        cell.stylize(style)


def print_all(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print lines unwrapped, so that a path can be copied, and tables as wide as the console."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))


def command_line(*words: str | Path) -> str:
    """Return a command that a person can copy into a shell of the present folder."""
    return " ".join(
        shlex.quote(short_path(word) if isinstance(word, Path) else word) for word in words
    )


def short_path(path: Path) -> str:
    """Return a path as a person would write it in the present folder."""
    here = Path.cwd()
    if path == here or not path.is_relative_to(here):
        return str(path)
    inside = str(path.relative_to(here))
    return f"./{inside}" if inside.startswith("-") else inside


def size_text(size_bytes: int) -> str:
    """Return a size as people read it: ``1.4 GiB``."""
    size, unit = float(size_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def percent(fraction: float) -> str:
    """Return a fraction as people read it: ``97.4 %``."""
    return f"{100 * fraction:.1f} %"


def percent_range(low: float, high: float) -> str:
    """Return an interval of fractions as people read it: ``95.9 % to 98.4 %``."""
    return f"{percent(low)} to {percent(high)}"
