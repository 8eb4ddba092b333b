"""``imageloom explain``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption, parameter_options, read_params
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import line, percent, table
from imageloom.errors import printable
from imageloom.preprocessing.similar_names import shown
from imageloom.scoring.params import ScoreParams

if TYPE_CHECKING:
    from imageloom.scoring.explain.explain import Explanation


@call_command(
    "explain",
    examples=(
        "imageloom explain run photo.jpg --out why",
        "imageloom explain run photo.jpg --class cat --json",
        "imageloom explain run/model photo.jpg --training photos/train --nearest 4",
    ),
)
@click.argument("model", metavar="MODEL", type=PathType())
@click.argument("files", metavar="IMAGE...", type=PathType(), nargs=-1, required=True)
@place_option("--out", "out", "Folder to make, with a heat map of each picture.", required=False)
@place_option(
    "--training",
    "training",
    "The pictures that the model learned from; a run knows its own.",
    required=False,
)
@root_option
@click.option(
    "--class",
    "of_class",
    metavar="NAME",
    cls=SectionOption,
    section="Explaining",
    help="The class to look for. [default: the most probable one of each picture]",
)
@click.option(
    "--nearest",
    type=click.IntRange(1, 100),
    metavar="INTEGER",
    cls=SectionOption,
    section="Explaining",
    help="How many training pictures to name. [default: 8; 1 to 100; unit: images]",
)
@parameter_options(ScoreParams, section="Explaining", only=("device", "precision"))
def command(call: Call) -> Outcome:
    """Say why a model names what it names in a few pictures.

    MODEL is a run, or a trained model directory. Shows the five most probable classes of each
    picture and the training pictures that are most alike to the model; DIR gets a copy of what the
    model saw, with a map of where it finds the class (Grad-CAM). The exit code is 1 if a file could
    not be read.
    """
    from imageloom.scoring.explain.explain import NEAREST, explain

    model = call.path("model")
    tell_if_lost(call, model)
    files, of_class = call.arguments["files"], call.arguments.get("of_class")
    nearest = call.arguments.get("nearest", NEAREST)
    assert isinstance(files, tuple)
    assert isinstance(nearest, int)
    out = call.path("out") if "out" in call.arguments else None
    found = explain(
        model,
        files,
        out,
        of_class=None if of_class is None else str(of_class),
        training=_training(call, model),
        root=call.roots,
        nearest=nearest,
        params=read_params(ScoreParams, call.arguments),
        on_event=call.on_event,
        cancel=call.cancel,
    )
    wrote = [] if out is None else [line("Wrote", str(out))]
    return Outcome(
        content={
            "explanations": [one.to_json() for one in found],
            "out": None if out is None else str(out),
        },
        screen=(*(part for one in found for part in _screen(one)), *wrote),
        exit_code=0 if all(one.prediction.is_readable for one in found) else 1,
    )


def _training(call: Call, model: Path) -> Path | None:
    """Return where the pictures lie that the model learned from, or None where that is unknown."""
    from imageloom.training.run.directory import RunDirectory

    if "training" in call.arguments:
        return call.path("training")
    run = RunDirectory(model)
    return run.training_images if run.record.is_file() else None


def _screen(one: "Explanation") -> list[RenderableType]:
    prediction = one.prediction
    if not prediction.is_readable:  # the error names the file
        return [Text(f"{prediction.error} {prediction.hint}".strip(), style="red")]
    guesses = zip(prediction.classes, prediction.probabilities, strict=True)
    parts: list[RenderableType] = [
        Text.assemble(
            (f"{printable(prediction.file)}: ", "bold"),
            ", ".join(f"{printable(shown(name))} {percent(share)}" for name, share in guesses),
        )
    ]
    if one.heat_map:
        parts.append(line("Heat map", f"{one.heat_map}: where it finds {shown(one.explained)}"))
    if one.nearest:
        rows = [[near.file, near.label or "", f"{near.similarity:.3f}"] for near in one.nearest]
        parts.append(table([("Most alike", "left"), ("Class", "left"), ("Cosine", "right")], rows))
    return parts
