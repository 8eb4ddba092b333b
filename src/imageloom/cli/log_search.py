"""What was found in logs, as a list of lines."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from imageloom.cli.call import Call, Outcome
from imageloom.cli.screen import line
from imageloom.cli.tails import printable_line
from imageloom.errors import printable
from imageloom.files.log_parts import FoundLine, search_log

_MOST: Final = 1_000

search_option = click.option(
    "--search",
    metavar="TEXT",
    help="Only the lines that contain this, whatever the case, with their places.",
)
tail_option = click.option(
    "--tail", type=click.IntRange(min=1), metavar="N", help="Only the last lines of each log."
)


def log_choice(call: Call) -> str:
    """Return which of ``--search``, ``--tail`` and ``--follow`` is given, or an empty text.

    Raises:
        UsageError: Several are, or one that writes as it reads together with ``--json``.
    """
    given = [one for one in ("search", "tail", "follow") if one in call.arguments]
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]} exclude each other.")
    if given == ["follow"] and "as_json" in call.arguments:
        raise click.UsageError("--follow writes as it reads, so it cannot be joined with --json.")
    return "".join(given)


def num_lines_of(call: Call) -> int | None:
    """Return what ``--tail`` says, or None when it is not given."""
    value = call.arguments.get("tail")
    return value if isinstance(value, int) else None


def found_lines(logs: Mapping[str, Path], text: str) -> Outcome:
    """Return the lines of some logs that contain a text, with their places.

    Args:
        logs: By what they are called.
        text: What to find, whatever the case.
    """
    each = ((name, one) for name, log in logs.items() for one in _search(log, text))
    found = list(islice(each, _MOST + 1))
    shown = found[:_MOST]
    is_more = len(found) > _MOST
    return Outcome(
        content={
            "found": [
                {
                    "log": name,
                    "path": str(logs[name]),
                    "line": one.number,
                    "offset": one.offset,
                    "text": printable_line(one.text),
                }
                for name, one in shown
            ],
            "more": is_more,
        },
        screen=(
            *_screen(shown, logs),
            *([line("More", f"there are more than {_MOST:,} lines")] if is_more else []),
            *([] if shown else [line("Found", f"nothing that contains {printable(text)!r}")]),
        ),
    )


def _search(log: Path, text: str) -> Iterator[FoundLine]:
    return search_log(log, text, limit=_MOST + 1)


def _screen(found: list[tuple[str, FoundLine]], logs: Mapping[str, Path]) -> Iterator[Text]:
    last = ""
    for name, one in found:
        if name != last:
            yield Text(f"== {name}  {logs[name]}", style="bold")
        last = name
        yield Text(f"{one.number:>7,}  {printable_line(one.text)}")
