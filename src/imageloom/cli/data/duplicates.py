"""``imageloom data duplicates``."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import Column, command_line, line, table
from imageloom.system.wording import count, some

if TYPE_CHECKING:
    from imageloom.data.similar.find import Duplicates, PictureSet

_SETS_SHOWN: Final = 10


@call_command(
    "duplicates",
    examples=(
        "imageloom data duplicates pictures",
        "imageloom data duplicates train --against validation",
        "imageloom data duplicates pictures --distance 2 --json",
    ),
)
@click.argument("images", metavar="DIR", type=PathType())
@place_option("--against", "against", "Other pictures, to find those in both.", required=False)
@click.option(
    "--distance",
    type=int,
    help="In how many of 64 bits pictures that look alike may differ, 0 to 10. [default: 6]",
    cls=SectionOption,
    section="Likeness",
)
@root_option
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Find pictures that stand twice or nearly twice.

    DIR is an image directory, or a plain folder with a sub-folder for each class. Shows sets of
    files with equal bytes, and sets of pictures that look alike: encoded anew, resized or made
    brighter; with --against also pictures that are in both, so that results on the second look
    better than they are. Looks are kept, so another time takes seconds. The exit code is 1 if
    anything was found or a file could not be read, and 0 if not.
    """
    from imageloom.data.open import open_each
    from imageloom.data.similar.find import DEFAULT_DISTANCE, find_duplicates

    distance = call.arguments.get("distance", DEFAULT_DISTANCE)
    assert isinstance(distance, int)
    places = [call.path(name) for name in ("images", "against") if name in call.arguments]
    opened = open_each(
        places,
        root=call.roots,
        convert_params=pictures.shortcut_params(call.arguments),
        control=call.control,
    )
    found = find_duplicates(
        opened[0],
        against=opened[1] if len(opened) > 1 else None,
        distance=distance,
        on_event=call.on_event,
        cancel=call.cancel,
    )
    return Outcome(
        content=found.to_json(),
        screen=tuple(_screen(call, found)),
        exit_code=0 if found.is_clean else 1,
    )


def _screen(call: Call, found: "Duplicates") -> Iterator[RenderableType]:
    yield line("Folder", str(found.images.root))
    yield line("Pictures", f"{len(found.images):,}")
    if found.brightness is not None:
        low, middle, high = found.brightness
        yield line("Grey", f"{low:.0f} to {high:.0f} of 255, {middle:.0f} in the middle")
    yield from pictures.listed(
        found.unread, f"{count(len(found.unread), 'file')} changed or gone:", "red"
    )
    yield from _sets(found, found.equal, "of equal bytes")
    yield from _sets(found, found.similar, "that look alike")
    if found.against is not None:
        yield line("Against", f"{found.against.root} ({len(found.against):,} pictures)")
        yield from _leaks(found)
    if found.is_clean:
        yield line("Found", "no picture stands twice")
    yield line("Next", _next_step(call, found))


def _sets(found: "Duplicates", sets: "Sequence[PictureSet]", what: str) -> Iterator[RenderableType]:
    if not sets:
        return
    contradictions = sum(one.is_contradiction for one in sets)
    under = f", {contradictions:,} of them under different labels" if contradictions else ""
    yield Text(f"{count(len(sets), 'set')} of pictures {what}{under}:", style="yellow")
    worst_first = sorted(sets, key=lambda one: not one.is_contradiction)
    rows = [
        [
            f"{len(one.rows):,}",
            f"{max(one.distances)}",
            "yes" if one.is_contradiction else "",
            some([found.images.file(row) for row in one.rows]),
        ]
        for one in worst_first[:_SETS_SHOWN]
    ]
    columns: list[Column] = [
        ("Pictures", "right"),
        ("Bits", "right"),
        ("Labels differ", "left"),
        ("Files", "left"),
    ]
    yield table(columns, rows)
    yield from _more(len(sets))


def _leaks(found: "Duplicates") -> Iterator[RenderableType]:
    assert found.against is not None
    if not found.leaks:
        yield line("Leaks", "no picture is in both")
        return
    yield Text(f"{count(len(found.leaks), 'picture')} here that is there too:", style="red")
    rows = [
        [
            "equal" if one.is_equal else f"{one.distance}",
            found.images.file(one.here),
            found.against.file(one.there),
        ]
        for one in found.leaks[:_SETS_SHOWN]
    ]
    yield table([("Bits", "right"), ("Here", "left"), ("There", "left")], rows)
    yield from _more(len(found.leaks))


def _more(total: int) -> Iterator[RenderableType]:
    if total > _SETS_SHOWN:
        yield Text(f"and {total - _SETS_SHOWN:,} more; --json lists all")


def _next_step(call: Call, found: "Duplicates") -> str:
    images = call.path("images")
    if found.leaks:
        return (
            "leave the pictures out of one of the two, or divide all pictures anew without their "
            "copies"
        )
    if not found.is_clean and found.images.has_several_labels:
        return "leave them out of the source, and convert it again"
    if not found.is_clean:
        words = ("--exclude", "FILE", "--out", images.with_name(f"{images.name}-corrected"))
        return command_line("imageloom", "data", "correct", images, *words)
    return command_line("imageloom", "data", "duplicates", images, "--against", "OTHER")
