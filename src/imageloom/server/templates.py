"""Pipelines to begin with."""

from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, JsonValue

from imageloom.demo import PICTURES, add_training, digits_pipeline
from imageloom.pipeline.builder import PipelineBuilder
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import pipeline_to_json
from imageloom.registry import Registry
from imageloom.spec.component import Component

DIGITS: Final = "digits"
"""Name of the template, and of the upload with its pictures."""


class Template(BaseModel):
    """A pipeline to begin with.

    Attributes:
        id: Its name for programs.
        title: What a person reads.
        help: What it is for, in one or two sentences.
        asks_for: The node whose path a person must give first; empty if it can run at once.
        pipeline: The pipeline, without positions: the page lays it out.
    """

    id: str
    title: str
    help: str
    asks_for: str
    pipeline: dict[str, JsonValue]


def all_templates(components: Registry[Component]) -> list[Template]:
    """Return the templates in the order in which a person meets them."""
    return [_template(components, *one) for one in _TEMPLATES]


def _template(
    components: Registry[Component],
    name: str,
    asks_for: str,
    help: str,
    make: Callable[[Registry[Component]], Pipeline],
) -> Template:
    pipeline = make(components)
    return Template(
        id=name,
        title=pipeline.name,
        help=help,
        asks_for=asks_for,
        pipeline=pipeline_to_json(pipeline),
    )


def _digits(components: Registry[Component]) -> Pipeline:
    return digits_pipeline(components, upload=DIGITS)


def _folder(components: Registry[Component]) -> Pipeline:
    build = PipelineBuilder(components, "My pictures", description="A sub-folder for each class.")
    pictures = build.add("dataset", id=PICTURES)
    training = {"epochs": 10, "batch_size": 32, "learning_rate": 0.02}
    add_training(build, pictures, training=training)
    return build.pipeline()


def _seed(components: Registry[Component]) -> Pipeline:
    build = PipelineBuilder(
        components,
        "Train PyTorch Model",
        description="From pictures to a scored network: the path of the old designer's reference "
        "page.",
    )
    pictures = build.add("dataset", id="dataset", path="pictures")
    images = build.add("convert_to_image_directory", pictures, id="convert")
    kept = build.add(
        "split_image_directory", images, id="split", title="Keep a test part", fraction=0.85
    )
    parts = build.add(
        "split_image_directory",
        kept.first,
        id="split_again",
        title="Training and validation",
        fraction=0.8,
    )
    transformation = build.add(
        "init_image_transformation", id="transformation", resize_size=72, center_crop_size=64
    )
    applied = {
        name: build.add(
            "apply_image_transformation",
            transformation,
            part,
            id=f"apply_{name}",
            title=title,
            mode=mode,
        )
        for name, title, part, mode in (
            ("training", "For training", parts.first, "training"),
            ("validation", "For validation", parts.second, "inference"),
            ("test", "For the test", kept.second, "inference"),
        )
    }
    network = build.add("densenet", id="densenet", model_name="densenet121", pretrained=False)
    model = build.add(
        "train_pytorch_model",
        network,
        applied["training"],
        applied["validation"],
        id="train",
        epochs=3,
        batch_size=16,
        learning_rate=0.02,
        warmup_epochs=1.0,
    )
    scores = build.add("score_image_model", model, applied["test"], id="score")
    build.add("evaluate_model", scores, id="evaluate")
    return build.pipeline()


_TEMPLATES: Final = (
    (
        DIGITS,
        "",
        "1,797 real pictures that come with Imageloom; trains in a minute. See how it all works.",
        _digits,
    ),
    (
        "folder",
        PICTURES,
        "A folder, an archive or a table of your own pictures: split, trained, scored, evaluated.",
        _folder,
    ),
    (
        "seed",
        "dataset",
        "Every module of the old designer's image path, with its transformations, joined as there.",
        _seed,
    ),
)
