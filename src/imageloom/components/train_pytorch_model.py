"""The component ``train_pytorch_model``: a network learns from pictures."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from imageloom.errors import (
    CannotResumeError,
    EnvironmentUnsuitableError,
    InfinityError,
    InvalidDatasetError,
    InvalidModelDirectoryError,
    NaNError,
    NotLabeledDatasetError,
    ParameterError,
)
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import IMAGE_DIRECTORY, MODEL_DIRECTORY, UNTRAINED_MODEL_DIRECTORY
from imageloom.training.config import TrainParams


def run(task: Task) -> Mapping[str, str]:
    """Train, or go on from the last checkpoint of an execution that was stopped."""
    from imageloom.models.model_directory import load_trained, save_trained
    from imageloom.training.run_directory import RunDirectory

    _refuse_several_processes(task)
    directory = RunDirectory(task.scratch / "run")
    try:
        _train_or_resume(task, directory.path)
    finally:
        _keep(directory.report, task.record / "report.html")
        _keep(directory.events, task.record / "train_events.jsonl")
        _keep(directory.log, task.record / "train_log.txt")
    # Read back and written again: what is published was whole, and has the same bytes.
    save_trained(task.outputs["model"], load_trained(directory.model))
    return {}


def _train_or_resume(task: Task, run_folder: Path) -> None:
    from imageloom.data.image_directory import load_image_directory
    from imageloom.training.train import resume, train

    if (run_folder / "run.json").is_file():
        resume(run_folder, on_event=task.on_event, cancel=task.cancel)
        return
    assert isinstance(task.params, TrainParams)
    shutil.rmtree(run_folder, ignore_errors=True)
    train(
        task.inputs["model"],
        load_image_directory(task.inputs["training"]),
        load_image_directory(task.inputs["validation"]),
        run_folder,
        params=task.params,
        on_event=task.on_event,
        cancel=task.cancel,
    )


def _keep(file: Path, place: Path) -> None:
    if file.is_file():
        shutil.copyfile(file, place)


def _refuse_several_processes(task: Task) -> None:
    if task.settings.node_count * task.settings.processes_per_node == 1:
        return
    raise EnvironmentUnsuitableError(
        f"node_count is {task.settings.node_count} and processes_per_node is "
        f"{task.settings.processes_per_node}, but this version trains with one process.",
        hint="Set both to 1.",
        reason="several-processes",
    )


COMPONENTS.declare(
    "train_pytorch_model",
    Component(
        name="train_pytorch_model",
        title="Train PyTorch Model",
        help="Trains a network, measures each epoch on the validation pictures, and gives the "
        "best epoch's. Stopped or killed, it goes on from its last checkpoint.",
        category="Training",
        inputs=(
            Port("model", UNTRAINED_MODEL_DIRECTORY, "Untrained model", "What learns."),
            Port("training", IMAGE_DIRECTORY, "Training images", "What it learns from."),
            Port("validation", IMAGE_DIRECTORY, "Validation images", "What measures each epoch."),
        ),
        outputs=(Port("model", MODEL_DIRECTORY, "Trained model", "The best epoch's network."),),
        params=TrainParams,
        run=run,
        errors=(
            InvalidModelDirectoryError,
            NotLabeledDatasetError,
            InvalidDatasetError,
            ParameterError,
            NaNError,
            InfinityError,
            CannotResumeError,
            EnvironmentUnsuitableError,
        ),
        demand="heavy",
        has_run_settings=True,
    ),
)
