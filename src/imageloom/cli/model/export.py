"""``imageloom export``."""

from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import line, percent, size_text, table
from imageloom.cli.signals import NOT_WRITTEN
from imageloom.exporting.params import ExportParams
from imageloom.system.wording import count

if TYPE_CHECKING:
    from imageloom.exporting.export import ExportedModel


@call_command(
    "export",
    examples=(
        "imageloom export run --to onnx --out flowers-onnx",
        "imageloom export run --to timm --out flowers-timm",
        "imageloom export run/model --to pt2 --data test --out flowers-pt2",
    ),
)
@click.argument("model", metavar="RUN", type=PathType())
@place_option("--out", "out", "The folder to write.")
@place_option(
    "--data",
    "data",
    "Pictures to compare with, instead of those that the run was validated on.",
    required=False,
)
@root_option
@parameter_options(ExportParams, section="Export")
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Write a model for other programs, proven to be the same.

    RUN is a run, or a trained model directory. Before anything appears, the exported model scores
    the pictures in the program that runs its format, and each probability is compared with the
    model's own. The folder's README.md shows how it is used.
    """
    call.first_answer = NOT_WRITTEN
    from imageloom.exporting.export import export

    params = read_params(ExportParams, call.arguments)
    tell_if_lost(call, call.path("model"))
    data = call.arguments.get("data")
    done = export(
        call.path("model"),
        call.path("out"),
        None if data is None else call.path("data"),
        root=call.roots,
        params=params,
        convert_params=pictures.shortcut_params(call.arguments),
        on_event=call.on_event,
        cancel=call.cancel,
    )
    parity = done.parity
    return Outcome(
        content={
            "exported": str(done.path),
            "format": done.format,
            "files": done.files,
            "parity": parity.to_json(),
        },
        screen=(
            table([("File", "left"), ("Size", "right")], _sizes(done)),
            line("Compared", f"{parity.images:,} pictures, scored by both"),
            line("Apart", f"{parity.largest_difference:.2g} at most, of any probability"),
            line("Changed", f"{count(parity.changed, 'picture')} with {_another(done)}"),
            *_right(done),
            line("Wrote", str(done.path)),
            line("Next", f"how it is used: {done.path / 'README.md'}"),
        ),
    )


def _sizes(done: "ExportedModel") -> list[list[str]]:
    return [[name, size_text(size)] for name, size in done.files.items()]


def _another(done: "ExportedModel") -> str:
    return "other labels" if done.parity.has_several_labels else "another class"


def _right(done: "ExportedModel") -> list[RenderableType]:
    parity = done.parity
    if not parity.labelled:
        return []
    before, after = (
        percent(right / parity.labelled) for right in (parity.right_before, parity.right_after)
    )
    title = "Exact" if parity.has_several_labels else "Top-1"
    return [line(title, f"{before} before, {after} after")]
