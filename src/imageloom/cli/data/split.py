"""``imageloom data split``."""

import click

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import command_line, line
from imageloom.data.params import SplitParams
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import refuse_existing

_OUTPUTS = ("first", "second", "third")


@call_command(
    "split",
    examples=(
        "imageloom data split pictures --first train --second validation",
        "imageloom data split pictures --fraction 0.7 --third-fraction 0.15 "
        "--first train --second validation --third test",
    ),
)
@click.argument("images", metavar="DIR", type=PathType())
@place_option("--first", "first", "Image directory of the first part, as a rule for training.")
@place_option("--second", "second", "Image directory of the rest, as a rule for validation.")
@place_option("--third", "third", "A third part, kept for the last test.", required=False)
@root_option
@parameter_options(SplitParams, section="Split")
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Divide pictures into two or three parts.

    Each class is divided in the same proportion. DIR is an image directory, or a plain folder with
    a sub-folder for each class. No picture is copied: the parts list the same files.
    """
    from imageloom.data.images.split import split
    from imageloom.data.open import open_images

    params = read_params(SplitParams, call.arguments)
    outputs = [call.path(name) for name in _OUTPUTS if name in call.arguments]
    if ("third" in call.arguments) != (params.third_fraction is not None):
        raise click.UsageError("--third and --third-fraction go together: give both or neither.")
    for out in outputs:
        refuse_existing(out)
    refuse_misplaced(outputs, read=[call.path("images")])
    images = open_images(
        call.path("images"),
        root=call.roots,
        convert_params=pictures.shortcut_params(call.arguments),
        on_event=call.on_event,
        cancel=call.cancel,
    )
    images.refuse_outputs(outputs)
    parts = split(images, params, on_event=call.on_event)
    for part, out in zip(parts, outputs, strict=True):
        part.save(out)
    counts = {name.capitalize(): part.counts for name, part in zip(_OUTPUTS, parts, strict=False)}
    train = ("train", "--model", "resnet18", "--train", outputs[0], "--validation", outputs[1])
    score = ("score", "--model", "RUN", "--data", outputs[0], "--out", "scores.parquet")
    next_words = (*train, "--out", "run") if images.is_labelled else score
    return Outcome(
        content={
            "parts": [
                {"image_directory": str(out), **pictures.to_json(part)}
                for part, out in zip(parts, outputs, strict=True)
            ]
        },
        screen=(
            *pictures.class_table(counts, has_several_labels=images.has_several_labels),
            *(
                line("Wrote", f"{out} ({len(part):,} pictures)")
                for part, out in zip(parts, outputs, strict=True)
            ),
            line("Next", command_line("imageloom", *next_words)),
        ),
    )
