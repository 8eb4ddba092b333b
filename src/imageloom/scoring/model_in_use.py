"""The trained model that scores: found, loaded, placed on its device for as long as it is used."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import nn

from imageloom.errors import InvalidModelDirectoryError
from imageloom.events import EventSink
from imageloom.files.home import expand_home
from imageloom.models.compute import Compute, choose_compute
from imageloom.models.model_directory import TrainedModel, load_trained
from imageloom.resume_command import Resume
from imageloom.scoring.params import ScoreParams

RUN_RECORD: Final = "run.json"
RUN_MODEL: Final = "model"


@dataclass(frozen=True)
class ModelInUse:
    """A trained model on the device where it computes.

    Attributes:
        model: Class list, preprocessing and digest.
        network: The model's network, in evaluation mode, on the device.
        compute: Device and arithmetic.
    """

    model: TrainedModel
    network: nn.Module
    compute: Compute


@contextlib.contextmanager
def model_in_use(
    model: TrainedModel | Path | str, params: ScoreParams, on_event: EventSink
) -> Iterator[ModelInUse]:
    """Yield a model ready to score; a network that the caller lent is put back on the CPU.

    Args:
        model: A trained model, its directory, or the directory of a run.
        params: Device and precision.
        on_event: Told how the weights are being checked.

    Raises:
        InvalidModelDirectoryError: It is no trained model, or the run has none yet.
        ParameterError: The device is not there.
    """
    compute = choose_compute(params.device, params.precision)
    if not isinstance(model, TrainedModel):
        model = load_trained(model_path(model), on_event=on_event)
    try:
        yield ModelInUse(model, compute.place(model.network).eval(), compute)
    finally:
        model.network.cpu()


def model_path(path: Path | str) -> Path:
    """Return the model directory that is meant: the path itself, or a run's model.

    Raises:
        InvalidModelDirectoryError: The path is a run that has published no model yet.
    """
    path = expand_home(path)
    if not (path / RUN_RECORD).is_file():
        return path
    if not (path / RUN_MODEL).is_dir():
        raise InvalidModelDirectoryError(
            f"The run {path} has no model yet.",
            hint="It appears when the run ends, or is stopped after an epoch.",
            reason="no-model-yet",
            resume=Resume(str(path)),
        )
    return path / RUN_MODEL
