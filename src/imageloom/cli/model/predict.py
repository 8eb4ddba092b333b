"""``imageloom predict``."""

from typing import TYPE_CHECKING

import click
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import PathType, place_option
from imageloom.cli.screen import line, percent
from imageloom.errors import printable
from imageloom.preprocessing.similar_names import shown
from imageloom.scoring.params import ScoreParams
from imageloom.system.quick_imports import garbage_left_alone

if TYPE_CHECKING:
    from imageloom.scoring.predict import Prediction


@call_command(
    "predict",
    examples=(
        "imageloom predict --model run one.jpg two.png",
        "imageloom predict --model run/model photo.jpg --json",
    ),
)
@click.argument("files", metavar="IMAGE...", type=PathType(), nargs=-1, required=True)
@place_option("--model", "model", "A run, or a trained model directory.")
@parameter_options(ScoreParams, section="Scoring", only=("device", "precision"))
def command(call: Call) -> Outcome:
    """Name what is in a few pictures.

    Prints one line for each picture with the five most probable classes; before these, of a model
    that may give several labels, those that it gives. For many pictures,
    'imageloom score' writes a table. The exit code is 1 if a file could not be read.
    """
    with garbage_left_alone():
        from imageloom.scoring.predict import predict

    params = read_params(ScoreParams, call.arguments)
    tell_if_lost(call, call.path("model"))
    files = call.arguments["files"]
    assert isinstance(files, tuple)
    predictions = predict(
        call.path("model"), files, params=params, on_event=call.on_event, cancel=call.cancel
    )
    return Outcome(
        content={"predictions": [one.to_json() for one in predictions]},
        screen=(
            *(_line(one) for one in predictions),
            line("Next", "for many pictures: imageloom score --help"),
        ),
        exit_code=0 if all(one.is_readable for one in predictions) else 1,
    )


def _line(prediction: "Prediction") -> Text:
    if not prediction.is_readable:  # the error names the file
        return Text(f"{prediction.error} {prediction.hint}".strip(), style="red")
    guesses = zip(prediction.classes, prediction.probabilities, strict=True)
    given = ""
    if prediction.labels is not None:
        given = ", ".join(printable(shown(name)) for name in prediction.labels) or "no label"
        given = f"{given} - "
    return Text.assemble(
        (f"{printable(prediction.file)}: ", "bold"),
        (given, "bold"),
        ", ".join(f"{printable(shown(name))} {percent(share)}" for name, share in guesses),
    )
