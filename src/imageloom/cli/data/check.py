"""``imageloom data check``."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import command_line, line, table
from imageloom.preprocessing.similar_names import quoted
from imageloom.system.wording import count, some

if TYPE_CHECKING:
    from imageloom.data.images.check import DataReport, SharedPictures, Spread

_SETS_SHOWN: Final = 5


@call_command(
    "check",
    examples=(
        "imageloom data check pictures",
        "imageloom data check train --against validation",
    ),
)
@click.argument("images", metavar="DIR", type=PathType())
@place_option("--against", "against", "Other pictures, to find those in both.", required=False)
@root_option
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Say what is in it, and what was left out.

    DIR is an image directory, or a plain folder with a sub-folder for each class. Every file is
    read again. Shows pictures per class, files that were left out with the reason, files that have
    changed since, and pictures that stand twice or under two labels; with --against also pictures
    that are in both and classes that only one has. The exit code is 1 if files have changed,
    because training would stop at them.
    """
    from imageloom.data.images.check import check
    from imageloom.data.images.findings import notices_on_copies
    from imageloom.data.open import open_each

    places = [call.path(name) for name in ("images", "against") if name in call.arguments]
    opened = open_each(
        places,
        root=call.roots,
        convert_params=pictures.shortcut_params(call.arguments),
        control=call.control,
    )
    report = check(*opened, on_event=call.on_event, cancel=call.cancel)
    listed = notices_on_copies(opened[0])  # which the screen shows as sets of files
    content = report.to_json()
    content["noted_at_conversion"] = content.pop("notices")  # 'notices' are those of this command
    return Outcome(
        content=content,
        screen=tuple(_screen(call, report, listed)),
        exit_code=1 if report.changed else 0,
    )


def _screen(call: Call, report: "DataReport", listed: Sequence[str]) -> Iterator[RenderableType]:
    yield from pictures.class_table(
        {"Pictures": report.images_per_class}, has_several_labels=report.has_several_labels
    )
    formats = ", ".join(f"{count:,} {name}" for name, count in report.formats.items())
    turned = f"; {report.turned:,} are turned by EXIF" if report.turned else ""
    yield line("Folder", str(report.root))
    yield line("Pictures", f"{report.images:,} ({formats}; {report.size_bytes / 2**20:,.1f} MiB)")
    yield line("Sizes", f"{_sizes(report.width, report.height)}{turned}")
    yield from pictures.left_out(report.rejected, report.images, None)
    changed = f"{count(len(report.changed), 'file')} changed or gone:"
    yield from pictures.listed(report.changed, changed, "red")
    # A plain folder is told of as it opens.
    told = {notice["message"] for notice in call.on_event.notices}
    for notice in report.notices:
        if notice not in told and notice not in listed:
            yield line("Note", notice, style="yellow")
    # Equal bytes under different labels are duplicates too; they are shown once, as the worse.
    worse = {files[0] for files in report.contradictions}  # a file stands in one set at most
    plain = [files for files in report.duplicates if files[0] not in worse]
    yield from _sets(report.contradictions, "with different labels")
    yield from _sets(plain, "with one label")
    if report.comparison is not None:
        yield from _beside(report.comparison)
    yield line("Next", _next_step(call, report))


def _sizes(width: "Spread", height: "Spread") -> str:
    smallest, largest = (width.smallest, height.smallest), (width.largest, height.largest)
    if smallest == largest:
        return f"{width.median} x {height.median} pixels"
    return (
        f"{width.median} x {height.median} pixels in the middle; width {width.smallest:,} to "
        f"{width.largest:,}, height {height.smallest:,} to {height.largest:,}"
    )


def _sets(sets: Sequence[Sequence[str]], what: str) -> Iterator[RenderableType]:
    if sets:
        title = f"{count(len(sets), 'set')} of equal files {what}:"
        yield from _list(title, [some(files) for files in sets])


def _list(title: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    yield Text(title, style="yellow")
    rows = [[one] for one in lines[:_SETS_SHOWN]]
    if len(lines) > _SETS_SHOWN:
        rows.append([f"and {len(lines) - _SETS_SHOWN:,} more; --json lists all"])
    yield table([("Files", "left")], rows)


def _beside(other: "SharedPictures") -> Iterator[RenderableType]:
    yield line("Against", str(other.root))
    if other.leaks:
        title = f"{count(len(other.leaks), 'file')} here with an equal one there:"
        yield from _list(title, [f"{here} = {there}" for here, there in other.leaks])
    else:
        yield line("Leaks", "no file is in both")
    if other.groups:
        groups = some(list(map(quoted, other.groups)))
        shared = (
            f"{count(len(other.groups), 'group has', 'groups have')} pictures in both: {groups}"
        )
        yield line("Groups", shared, style="red")
    for names, what in (
        (other.missing_classes, f"{len(other.missing_classes):,} only here"),
        (other.extra_classes, f"{len(other.extra_classes):,} only there"),
    ):
        if names:
            yield line("Classes", f"{what}: {some([quoted(name) for name in names])}", style="red")


def _next_step(call: Call, report: "DataReport") -> str:
    images, roots = call.path("images"), [w for root in call.roots for w in ("--root", root)]
    if report.changed:
        return "restore the files, give their new folder with --root, or convert the pictures again"
    other = report.comparison
    if other is not None and (other.missing_classes or other.extra_classes):
        return "give both the same classes; 'imageloom data split' keeps every class on both sides"
    if other is not None and other.groups:
        return "divide all pictures anew with 'imageloom data split --by-group'"
    if other is not None and other.leaks:
        return (
            "take the equal files out of one of the two, or divide all pictures anew with "
            "'imageloom data split'"
        )
    if other is not None:
        places = ("--train", images, "--validation", call.path("against"), "--out", "run", *roots)
        return command_line("imageloom", "train", "--model", "resnet18", *places)
    return command_line("imageloom", "data", "check", images, "--against", "OTHER", *roots)
