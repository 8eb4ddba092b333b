"""The component ``split_image_directory``: two or three parts of an image directory."""

from collections.abc import Mapping

from imageloom.data.params import SplitParams
from imageloom.errors import InvalidDatasetError, NotInRangeValueError
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import IMAGE_DIRECTORY


def run(task: Task) -> Mapping[str, str]:
    """Publish the parts; no picture is copied."""
    from imageloom.data.images.directory import load_image_directory
    from imageloom.data.images.split import split

    assert isinstance(task.params, SplitParams)
    images = load_image_directory(task.inputs["images"])
    parts = split(images, task.params, on_event=task.on_event)
    for name, part in zip(("first", "second", "third"), parts, strict=False):
        part.save(task.outputs[name])
    return {}


COMPONENTS.declare(
    "split_image_directory",
    Component(
        name="split_image_directory",
        title="Split Image Directory",
        help="Divides pictures into two or three parts, each class in the same proportion, as for "
        "training, validation and a last test. The same seed gives the same parts.",
        category="Image data",
        inputs=(Port("images", IMAGE_DIRECTORY, "Images", "The pictures to divide."),),
        outputs=(
            Port("first", IMAGE_DIRECTORY, "First part", "As a rule for training."),
            Port("second", IMAGE_DIRECTORY, "Second part", "What the other parts leave."),
            Port(
                "third",
                IMAGE_DIRECTORY,
                "Third part",
                "Pictures kept for a last test.",
                given_by="third_fraction",
            ),
        ),
        params=SplitParams,
        run=run,
        errors=(InvalidDatasetError, NotInRangeValueError),
    ),
)
