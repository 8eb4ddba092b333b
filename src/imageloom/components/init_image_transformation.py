"""The component ``init_image_transformation``: a list of operations on pictures, as data."""

from collections.abc import Mapping

from imageloom.events import Notice
from imageloom.preprocessing import output_size
from imageloom.preprocessing.switches import TransformationParams, chosen_transforms
from imageloom.preprocessing.transformation_directory import save_transforms
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import TRANSFORMATION_DIRECTORY


def run(task: Task) -> Mapping[str, str]:
    """Publish the operations that are switched on, in their order."""
    assert isinstance(task.params, TransformationParams)
    transforms = chosen_transforms(task.params)
    if output_size(transforms) is None:
        message = (
            "The operations leave pictures in different sizes, so training will refuse them. "
            "Switch a crop on."
        )
        task.on_event(Notice("warning", message))
    if task.params.pad and task.params.padding == 0:
        task.on_event(Notice("warning", "pad is on, but padding is 0, so it changes nothing."))
    save_transforms(transforms, task.outputs["transformation"])
    return {}


COMPONENTS.declare(
    "init_image_transformation",
    Component(
        name="init_image_transformation",
        title="Init Image Transformation",
        help="Chooses what is done to each picture before the network sees it, in the order of "
        "the parameters. Random operations are drawn afresh in every epoch; no file changes.",
        category="Transformations",
        inputs=(),
        outputs=(
            Port(
                "transformation",
                TRANSFORMATION_DIRECTORY,
                "Transformation",
                "The operations, for Apply Image Transformation.",
            ),
        ),
        params=TransformationParams,
        run=run,
    ),
)
