"""The component ``train_pytorch_model``: a network learns from pictures."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom import errors
from imageloom.events import Control
from imageloom.files.publish import appearing_directory
from imageloom.files.series.names import SERIES_FOLDER
from imageloom.spec.component import COMPONENTS, Component, Port, Task
from imageloom.spec.port_types import IMAGE_DIRECTORY, MODEL_DIRECTORY, UNTRAINED_MODEL_DIRECTORY
from imageloom.system.quick_imports import garbage_left_alone
from imageloom.tracking.training_files import TrainingFiles
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory

_TRAINING: Final = "run"  # in the scratch folder
_MODEL: Final = "model"
_KEPT_RECORD: Final = "train_run.json"
_KEPT_REPORT: Final = "report.html"


def training_in(scratch: Path, record: Path) -> TrainingFiles:
    """Return what trackers read of a node's training that goes on.

    Args:
        scratch: ``Task.scratch`` of the node.
        record: ``Task.record`` of the node.
    """
    run = RunDirectory(scratch / _TRAINING)
    model = record / "outputs" / _MODEL  # once and for all: its bytes are not those of the run's
    return TrainingFiles(record=run.record, series=run.series, report=run.report, model=model)


def kept_training(record: Path) -> TrainingFiles:
    """Return what trackers read of a node's training once it has ended."""
    return TrainingFiles(
        record=record / _KEPT_RECORD,
        series=record / SERIES_FOLDER,
        report=record / _KEPT_REPORT,
        model=record / "outputs" / _MODEL,
    )


def run(task: Task) -> Mapping[str, str]:
    """Train, or go on from the last checkpoint of an execution that was stopped."""
    from imageloom.data.images.directory import load_image_directory

    with garbage_left_alone():
        from imageloom.launch.params import LaunchParams
        from imageloom.launch.train import train_or_resume
        from imageloom.models.model_directory import load_trained, load_untrained, save_trained
        from imageloom.training.train import NewRun

    assert isinstance(task.params, TrainParams)
    run = RunDirectory(task.scratch / _TRAINING)
    if not run.record.is_file():
        shutil.rmtree(run.path, ignore_errors=True)
    try:
        train_or_resume(
            NewRun(
                load_untrained(task.inputs["model"], on_event=task.on_event),
                load_image_directory(task.inputs["training"]),
                load_image_directory(task.inputs["validation"]),
                run.path,
                params=task.params,
            ),
            launch=LaunchParams.of(task.settings.scale),
            control=Control(task.on_event, task.cancel),
        )
    finally:
        _keep_for_people(run, task.record)
    # Read and written rather than moved, so that scratch stays whole until the node completes.
    save_trained(task.outputs["model"], load_trained(run.model))
    return {}


def _keep_for_people(run: RunDirectory, record: Path) -> None:
    """Copy what people read of a training beside the other files of the node."""
    names = {
        run.report: _KEPT_REPORT,
        run.events: "train_events.jsonl",
        run.log: "train.log",
        run.record: _KEPT_RECORD,
    }
    others = {log: f"logs/{log.name}" for log in run.log.parent.glob("70_*")}
    for file, name in (others | names).items():
        if file.is_file() and _may_replace(record / name, file):
            (record / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(file, record / name)
    if run.series.is_dir():
        with appearing_directory(record / SERIES_FOLDER, replace=True) as partial:
            shutil.copytree(run.series, partial, dirs_exist_ok=True)


def _may_replace(kept: Path, file: Path) -> bool:
    """Whether what is kept is an earlier state of a log, and not the log of a scheduler."""
    if not kept.is_file() or not kept.name.startswith("70_mpi_log"):
        return True
    return file.read_bytes().startswith(kept.read_bytes())


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
            errors.InvalidModelDirectoryError,
            errors.NotLabeledDatasetError,
            errors.InvalidDatasetError,
            errors.ParameterError,
            errors.RunError,
        ),
        demand="heavy",
        has_run_settings=True,
    ),
)
