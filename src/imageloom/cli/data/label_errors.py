"""``imageloom data label-errors``."""

from typing import Final

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import Column, line, percent, table

_DEFAULT_MOST: Final = 40


@call_command(
    "label-errors",
    examples=(
        "imageloom data label-errors scores.parquet",
        "imageloom data label-errors scores.parquet --training run/training_images --most 200",
    ),
)
@click.argument("scores", type=PathType())
@place_option(
    "--training",
    "training",
    "The pictures that the model learned from, to say how many of the scored ones are among them.",
    required=False,
)
@root_option
@click.option(
    "--most",
    type=click.IntRange(1, 1_000_000),
    metavar="INTEGER",
    cls=SectionOption,
    section="Listing",
    help=f"How many to list. [default: {_DEFAULT_MOST}; at least 1; unit: images]",
)
def command(call: Call) -> Outcome:
    """List pictures whose label is probably wrong, the most suspicious first.

    SCORES is a table of 'imageloom score', with labels, of pictures that the model has not learned
    from. A picture is suspicious when the model counts it to another class as surely as it does the
    pictures of that class (confident learning).
    """
    from imageloom.scoring.label_errors import find_label_errors

    most = call.arguments.get("most", _DEFAULT_MOST)
    assert isinstance(most, int)
    found = find_label_errors(
        call.path("scores"),
        training=call.path("training") if "training" in call.arguments else None,
        root=call.roots,
        most=most,
        on_event=call.on_event,
        cancel=call.cancel,
    )
    rows = [
        [
            one.file,
            one.label,
            percent(one.label_probability),
            one.suggested_label,
            percent(one.suggested_probability),
        ]
        for one in found.listed
    ]
    columns: list[Column] = [
        ("File", "left"),
        ("Label", "left"),
        ("Its share", "right"),
        ("Looks like", "left"),
        ("Its share", "right"),
    ]
    content = found.to_json()
    content["caveats"] = content.pop("notices")  # 'notices' are those of this command
    return Outcome(
        content=content,
        screen=(
            *([table(columns, rows)] if rows else []),
            line("Labels", f"{found.suspicious:,} of {found.images:,} are suspicious"),
            *(line("Note", caveat, style="yellow") for caveat in found.notices),
        ),
    )
