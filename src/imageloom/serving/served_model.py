"""The model that is served: found, loaded, and asked as ``imageloom score`` asks it.

Legend: B batch, C channels, H height, W width, K classes.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from imageloom.errors import ParameterParsingError
from imageloom.events import EventSink
from imageloom.files.home import expand_home
from imageloom.preprocessing import Transforms
from imageloom.scoring.inference import choose_fill, logits_of, probabilities_from
from imageloom.scoring.model_in_use import RUN_MODEL, ModelInUse, model_in_use
from imageloom.scoring.params import ScoreParams
from imageloom.serving.params import ServeParams
from imageloom.system.allocator import kept_for_the_next

VERSION: Final = "1"
"""Of every model: one is served at a time, and another file makes another server."""

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class ServedModel:
    """A model under the name by which programs ask for it.

    Attributes:
        name: Part of addresses.
        used: The model on its device.
        fill_to: To a multiple of how many pictures a batch is filled up.
    """

    name: str
    used: ModelInUse
    fill_to: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The class list."""
        return self.used.model.classes

    @property
    def label_thresholds(self) -> tuple[float, ...] | None:
        """From which probability each label is given, where a picture may have several."""
        return self.used.model.label_thresholds

    @property
    def input_size(self) -> int:
        """Height and width of what the network takes, in pixels."""
        return self.used.model.preprocessing.input_size

    @property
    def transforms(self) -> Transforms:
        """What makes a picture of that size."""
        return self.used.model.preprocessing.transforms

    def probabilities(self, images_BCHW: torch.Tensor) -> npt.NDArray[np.float32]:
        """Return float32 [B, K]; the row of a picture is not finite where the network gave none.

        Args:
            images_BCHW: uint8, 0 to 255, after the transforms.
        """
        normalisation = self.used.model.preprocessing.normalisation
        logits_BK = logits_of(
            self.used.network, images_BCHW, self.used.compute, normalisation, fill_to=self.fill_to
        )
        found: npt.NDArray[np.float32] = probabilities_from(
            logits_BK, has_several_labels=self.label_thresholds is not None
        ).numpy()
        return found


@contextlib.contextmanager
def served_model(
    model: Path, name: str, params: ServeParams, on_event: EventSink
) -> Iterator[ServedModel]:
    """Yield a model ready to answer; it has answered once, so that the first request is quick.

    Args:
        model: A trained model directory, or a run.
        name: How it is asked for; empty for the name of its folder.
        params: Device, precision and how batches are filled.
        on_event: Told how the weights are being checked.

    Raises:
        ParameterParsingError: The name can be no part of an address.
        InvalidModelDirectoryError: It is no trained model, or the run has none yet.
        ParameterError: The device is not there.
    """
    name = _checked(name) if name else _name_of(model)
    score = ScoreParams(device=params.device, precision=params.precision)
    with model_in_use(model, score, on_event) as used:
        keeping = contextlib.nullcontext() if used.compute.is_gpu else kept_for_the_next()
        with keeping:
            served = ServedModel(name, used, params.fill_to or choose_fill())
            size = served.input_size
            served.probabilities(torch.zeros((1, 3, size, size), dtype=torch.uint8))
            yield served


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ParameterParsingError(
            f"{name!r} cannot be the name of a served model.",
            hint="It stands in addresses: letters, digits, '.', '_' and '-', at most 128.",
            reason="no-name",
            details={"parameter": "name"},
        )
    return name


def _name_of(model: Path) -> str:
    path = expand_home(model).absolute()
    if path.name == RUN_MODEL:  # as all are called that lie in a run
        path = path.parent
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name).strip("-.")[:128]
    return found if _NAME.fullmatch(found) else "model"
