"""One component for each model family: an untrained network."""

import functools
import typing
from collections.abc import Mapping
from typing import Literal

from pydantic import create_model

import imageloom.models.families  # noqa: F401 - declares every family
from imageloom import errors
from imageloom.models.family import FAMILIES, Family
from imageloom.models.params import PUBLISHED_WEIGHTS, RANDOM_WEIGHTS, ModelParams
from imageloom.params import Params, parameter
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import UNTRAINED_MODEL_DIRECTORY


def run(family: Family, task: Task) -> Mapping[str, str]:
    """Publish the network with random or published weights."""
    from imageloom.models.model_directory import create_model as create

    options = task.params.model_dump()
    name, pretrained = options.pop("model_name"), options.pop("pretrained")
    if family.find and not name.startswith(f"{family.name}/"):
        name = f"{family.name}/{name}"
    weights = PUBLISHED_WEIGHTS if pretrained else RANDOM_WEIGHTS
    params = ModelParams.parse({"weights": weights, **options})
    create(name, task.outputs["model"], params, on_event=task.on_event, cancel=task.cancel)
    return {}


def params_of(family: Family) -> type[Params]:
    """Return the family's parameter set: the network, its weights, and the family's options."""
    names = tuple(variant.name for variant in family.variants)
    kind = str if family.find else Literal.__getitem__(names)
    known = f" Known: {', '.join(names)} and many others." if family.find else ""
    fields: dict[str, typing.Any] = {
        "model_name": (
            kind,
            parameter(family.default_variant, help=f"The network of the family.{known}"),
        ),
        "pretrained": (bool, parameter(True, help="Start from the weights published for it.")),
    }
    for option in family.options:
        field = ModelParams.model_fields[option]
        fields[option] = (field.annotation, field)
    return create_model(f"{family.title}Params", __base__=Params, **fields)


for each in FAMILIES:
    COMPONENTS.declare(
        each.name,
        Component(
            name=each.name,
            title=each.title,
            help=f"{each.help} Source: {each.source}.",
            category="Models",
            inputs=(),
            outputs=(
                Port(
                    "model",
                    UNTRAINED_MODEL_DIRECTORY,
                    "Untrained model",
                    "The network and its weights, for Train PyTorch Model.",
                ),
            ),
            params=params_of(each),
            run=functools.partial(run, each),
            errors=(
                errors.UnknownNameError,
                errors.NotInRangeValueError,
                errors.InvalidModelDirectoryError,
                errors.FailedToDownloadFilesError,
                errors.EnvironmentUnsuitableError,
            ),
        ),
    )
