"""The component ``score_image_model``: the probabilities of every picture."""

from collections.abc import Mapping

from imageloom.errors import (
    InvalidDatasetError,
    InvalidModelDirectoryError,
    NaNError,
    ParameterError,
)
from imageloom.scoring.params import ScoreParams
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import IMAGE_DIRECTORY, MODEL_DIRECTORY, SCORED_TABLE
from imageloom.system.quick_imports import garbage_left_alone


def run(task: Task) -> Mapping[str, str]:
    """Publish a scored table."""
    from imageloom.data.images.directory import load_image_directory

    with garbage_left_alone():
        from imageloom.scoring.score import score
    from imageloom.scoring.tables.directory import save_scores

    assert isinstance(task.params, ScoreParams)
    table = score(
        task.inputs["model"],
        load_image_directory(task.inputs["images"]),
        params=task.params,
        on_event=task.on_event,
        cancel=task.cancel,
    )
    save_scores(table, task.outputs["scores"])
    return {}


COMPONENTS.declare(
    "score_image_model",
    Component(
        name="score_image_model",
        title="Score Image Model",
        help="Lets a trained model name every picture: one row each, with the probability of "
        "every class. The model's own preprocessing is used.",
        category="Scoring",
        inputs=(
            Port("model", MODEL_DIRECTORY, "Trained model", "The model that scores."),
            Port("images", IMAGE_DIRECTORY, "Images", "The pictures, with or without labels."),
        ),
        outputs=(Port("scores", SCORED_TABLE, "Scores", "One row per picture."),),
        params=ScoreParams,
        run=run,
        errors=(InvalidModelDirectoryError, InvalidDatasetError, NaNError, ParameterError),
        demand="heavy",
    ),
)
