"""The component ``convert_to_image_directory``: any source of pictures, checked and listed."""

from collections.abc import Mapping
from pathlib import Path

from imageloom.data.dataset import dataset_path, is_watched
from imageloom.data.params import ConvertParams
from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToDownloadFilesError,
    FailedToWriteOutputsError,
    InvalidDatasetError,
    NotExpectedLabelColumnError,
    printable,
)
from imageloom.events import Notice
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import ANY_DIRECTORY, IMAGE_DIRECTORY


def run(task: Task) -> Mapping[str, str]:
    """Decode every picture once; an image directory is taken as it is."""
    from imageloom.data.convert import convert
    from imageloom.data.images.directory import REJECTED, is_image_directory, load_image_directory
    from imageloom.data.images.findings import left_out_notice

    assert isinstance(task.params, ConvertParams)
    source, out = dataset_path(task.inputs["dataset"]), task.outputs["images"]
    if isinstance(source, Path) and is_image_directory(source):
        task.on_event(Notice("info", f"{source} is an image directory, which is taken as it is."))
        load_image_directory(source).save(out)
        return {}
    if isinstance(source, Path) and not is_watched(source, task.params.folder):
        message = (
            f"Changes of the pictures that {source} names are not noticed: after one, make this "
            "node anew (--fresh)."
        )
        task.on_event(Notice("warning", message))
    if task.params.follow_links:
        message = (
            f"Links in {source} are followed, but changes of what they lead to are not noticed: "
            "after one, make this node anew (--fresh)."
        )
        task.on_event(Notice("warning", message))
    try:
        images = convert(
            source, out, params=task.params, on_event=task.on_event, cancel=task.cancel
        )
    except FailedToWriteOutputsError as problem:
        if problem.reason == "inside-source":
            raise _inside_pictures(problem) from problem
        raise
    if images.rejected:
        message = f"{left_out_notice(images, source)} {REJECTED} names each."
        task.on_event(Notice("warning", printable(message)))
    return {}


def _inside_pictures(problem: FailedToWriteOutputsError) -> FailedToWriteOutputsError:
    """Return what a person can do, who chose the workspace and not the place of an output."""
    return FailedToWriteOutputsError(
        f"The workspace lies inside {problem.details['inside']}, where the pictures lie, which are "
        "only read.",
        hint="Choose another workspace, with --workspace or IMAGELOOM_WORKSPACE; or, beside a "
        "manifest, lay the pictures into a folder of their own.",
        reason=problem.reason,
        details=problem.details,
    )


COMPONENTS.declare(
    "convert_to_image_directory",
    Component(
        name="convert_to_image_directory",
        title="Convert to Image Directory",
        help="Decodes every picture of a folder, an archive, a manifest or an image directory of "
        "the old designer, and lists those that can be used with their class. What is left out is "
        "listed with its reason. An image directory is taken as it is.",
        category="Image data",
        inputs=(Port("dataset", ANY_DIRECTORY, "Dataset", "A folder, an archive or a manifest."),),
        outputs=(
            Port("images", IMAGE_DIRECTORY, "Images", "The checked pictures and their classes."),
        ),
        params=ConvertParams,
        run=run,
        errors=(
            InvalidDatasetError,
            CouldNotOpenFileError,
            NotExpectedLabelColumnError,
            FailedToDownloadFilesError,
        ),
    ),
)
