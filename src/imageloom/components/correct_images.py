"""The component ``correct_images``: pictures relabelled or left out, in another version."""

from collections.abc import Mapping

from imageloom.data.corrections import parse_corrections
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    ParameterParsingError,
    UnknownNameError,
)
from imageloom.events import Notice
from imageloom.params import Params, parameter
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import IMAGE_DIRECTORY


class CorrectParams(Params):
    """What shall be different about some pictures."""

    corrections: tuple[str, ...] = parameter(
        (),
        help="One text for each picture: "
        '{"file":"ants/1.jpg","label":"bees"} gives it another class, '
        '{"file":"ants/2.jpg","exclude":true} leaves it out. With "sha256" a picture that was '
        "replaced since is refused. The studio writes them.",
    )


def require_corrections(params: Params) -> None:
    """Refuse texts that are no corrections.

    Raises:
        ParameterParsingError: The message has the text and its number.
    """
    assert isinstance(params, CorrectParams)
    parse_corrections(params.corrections)


def run(task: Task) -> Mapping[str, str]:
    """Publish the pictures in another version; no file of them is touched."""
    from imageloom.data.images.correct import correct
    from imageloom.data.images.directory import load_image_directory

    assert isinstance(task.params, CorrectParams)
    images = load_image_directory(task.inputs["images"])
    images.require_pictures("to correct")
    corrected = correct(images, parse_corrections(task.params.corrections))
    if task.params.corrections:
        task.on_event(Notice("info", corrected.notices[-1]))
    corrected.save(task.outputs["images"])
    return {}


COMPONENTS.declare(
    "correct_images",
    Component(
        name="correct_images",
        title="Correct Images",
        help="Gives some pictures another class, or leaves them out, in another version of the "
        "image directory. The files on disk do not change, and what was left out is listed.",
        category="Image data",
        inputs=(Port("images", IMAGE_DIRECTORY, "Images", "The pictures to correct."),),
        outputs=(Port("images", IMAGE_DIRECTORY, "Images", "The corrected version."),),
        params=CorrectParams,
        run=run,
        rule=require_corrections,
        errors=(
            InvalidDatasetError,
            CouldNotOpenFileError,
            UnknownNameError,
            ParameterParsingError,
        ),
    ),
)
