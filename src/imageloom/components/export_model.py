"""The component ``export_model``: a trained model for other programs."""

from collections.abc import Mapping

from imageloom.errors import (
    EnvironmentUnsuitableError,
    ExportError,
    InvalidDatasetError,
    InvalidModelDirectoryError,
)
from imageloom.exporting.params import ExportParams
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import EXPORTED_MODEL, IMAGE_DIRECTORY, MODEL_DIRECTORY


def run(task: Task) -> Mapping[str, str]:
    """Publish an exported model."""
    from imageloom.data.images.directory import load_image_directory
    from imageloom.exporting.export import export

    assert isinstance(task.params, ExportParams)
    export(
        task.inputs["model"],
        task.outputs["exported"],
        load_image_directory(task.inputs["images"]),
        params=task.params,
        on_event=task.on_event,
        cancel=task.cancel,
    )
    return {}


COMPONENTS.declare(
    "export_model",
    Component(
        name="export_model",
        title="Export Model",
        help="Writes a trained model for other programs, after it has scored pictures there as the "
        "model itself does.",
        category="Scoring",
        inputs=(
            Port("model", MODEL_DIRECTORY, "Trained model", "The model to export."),
            Port("images", IMAGE_DIRECTORY, "Images", "Pictures that both must score alike."),
        ),
        outputs=(
            Port("exported", EXPORTED_MODEL, "Exported model", "The files, and how equal it is."),
        ),
        params=ExportParams,
        run=run,
        errors=(
            InvalidModelDirectoryError,
            InvalidDatasetError,
            ExportError,
            EnvironmentUnsuitableError,
        ),
        demand="heavy",
    ),
)
