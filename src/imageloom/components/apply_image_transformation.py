"""The component ``apply_image_transformation``: pictures that carry a transform list."""

from collections.abc import Mapping
from typing import Literal

from imageloom.errors import InvalidDatasetError, InvalidTransformationDirectoryError
from imageloom.events import Notice
from imageloom.params import Params, parameter
from imageloom.preprocessing import inference_form
from imageloom.preprocessing.transformation_directory import load_transforms
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import IMAGE_DIRECTORY, TRANSFORMATION_DIRECTORY


class ApplyParams(Params):
    """What the pictures are for."""

    mode: Literal["training", "inference"] = parameter(
        "training",
        help="'training' keeps all operations; 'inference', for validation and test pictures, "
        "leaves random ones out and takes crops from the middle.",
    )


def run(task: Task) -> Mapping[str, str]:
    """Publish the pictures with the list; no pixel is touched."""
    from imageloom.data.images.directory import load_image_directory

    assert isinstance(task.params, ApplyParams)
    transforms = load_transforms(task.inputs["transformation"])
    images = load_image_directory(task.inputs["images"])
    images.require_pictures("to transform")
    if images.transforms is not None:
        message = "The pictures carried transforms already; the new ones take their place."
        task.on_event(Notice("warning", message))
    if task.params.mode == "inference":
        transforms = inference_form(transforms)
    images.with_transforms(transforms).save(task.outputs["images"])
    return {}


COMPONENTS.declare(
    "apply_image_transformation",
    Component(
        name="apply_image_transformation",
        title="Apply Image Transformation",
        help="Lets pictures carry a transformation, which training applies whenever it reads one. "
        "The files on disk do not change.",
        category="Transformations",
        inputs=(
            Port(
                "transformation",
                TRANSFORMATION_DIRECTORY,
                "Transformation",
                "The operations, from Init Image Transformation.",
            ),
            Port("images", IMAGE_DIRECTORY, "Images", "The pictures that shall carry it."),
        ),
        outputs=(Port("images", IMAGE_DIRECTORY, "Images", "The same pictures, carrying it."),),
        params=ApplyParams,
        run=run,
        errors=(InvalidTransformationDirectoryError, InvalidDatasetError),
    ),
)
