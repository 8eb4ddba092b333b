"""``imageloom model create``."""

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.places import place_option
from imageloom.cli.screen import command_line, line
from imageloom.models.params import ModelParams


@call_command(
    "create",
    examples=(
        "imageloom model create resnet18 --out model",
        "imageloom model create resnet50 --weights imagenet --out model",
    ),
)
@click.argument("name")
@place_option("--out", "out", "The model directory to write; it must not exist yet.")
@parameter_options(ModelParams, section="Model")
def command(call: Call) -> Outcome:
    """Make an untrained model directory.

    NAME is a network, such as resnet18, densenet121 or timm/convnext_tiny. 'imageloom train'
    also takes such a name itself; a directory keeps the options and the starting weights, so that
    several runs start from the same.
    """
    from imageloom.models.model_directory import create_model

    params = read_params(ModelParams, call.arguments)
    out = call.path("out")
    model = create_model(call.text("name"), out, params, on_event=call.on_event, cancel=call.cancel)
    data = ("--train", "TRAIN", "--validation", "VALIDATION", "--out", "run")
    weights = "random weights" if params.weights == "none" else f"weights: {params.weights}"
    return Outcome(
        content={
            "model_directory": str(out),
            "architecture": model.architecture.to_json(),
            "normalisation": model.normalisation.model_dump(mode="json"),
            "weights": params.weights,
            "digest": model.digest,
        },
        screen=(
            line("Network", f"{model.architecture.variant}, {weights}"),
            line("Wrote", str(out)),
            line("Next", command_line("imageloom", "train", "--model", out, *data)),
        ),
    )
