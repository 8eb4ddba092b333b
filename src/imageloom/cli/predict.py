"""``imageloom predict``."""

import click
from rich.text import Text

from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.places import Place, place_option
from imageloom.errors import printable
from imageloom.scoring.params import ScoreParams


@job_command(
    "predict",
    examples=("imageloom predict --model run one.jpg two.png",),
)
@click.argument("files", metavar="IMAGE...", type=Place(), nargs=-1, required=True)
@place_option("--model", "model", "A run, or a trained model directory.")
@parameter_options(ScoreParams, section="Scoring")
def command(job: Job) -> Outcome:
    """Name what is in a few pictures.

    Prints one line for each picture with the five most probable classes. For many pictures,
    'imageloom score' writes a table.
    """
    from imageloom.scoring.predict import predict

    params = read_params(ScoreParams, job.arguments)
    files = job.arguments["files"]
    assert isinstance(files, tuple)
    predictions = predict(job.path("model"), files, params=params)
    return Outcome(
        content={"predictions": [one.to_json() for one in predictions]},
        screen=tuple(
            Text(f"{printable(one.file)}: " + ", ".join(str(one.classes, one.probabilities)))
            for one in predictions
        ),
    )
