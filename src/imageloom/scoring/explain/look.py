"""What a model makes of one picture, and where in it the model looks.

Legend: C channels, H height, W width.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from imageloom.errors import unknown_name
from imageloom.scoring.explain.grad_cam import as_large_as, grad_cam
from imageloom.scoring.inference import full_float32
from imageloom.scoring.model_in_use import ModelInUse
from imageloom.scoring.predict import Prediction, ranked

_LEAST_SIDE: Final = 256  # pixels; smaller pictures are shown enlarged


@dataclass(frozen=True, eq=False)
class SeenPicture:
    """What a model makes of a picture, and where it looks.

    Attributes:
        prediction: The most probable classes.
        explained: The class whose places the map shows.
        picture_HW3: What the network sees, uint8 RGB; small pictures are enlarged.
        map_HW: float32, 0 to 1 and as large: how much each place speaks for the class.
    """

    prediction: Prediction
    explained: str
    picture_HW3: npt.NDArray[np.uint8]
    map_HW: npt.NDArray[np.float32]


def look_at(
    used: ModelInUse, image_CHW: torch.Tensor, file: str, *, of_class: str | None = None, k: int = 5
) -> SeenPicture:
    """Return what a model makes of a picture, and where it looks.

    Args:
        used: The model.
        image_CHW: uint8, 0 to 255, on the CPU, after the model's transforms.
        file: What the picture is called.
        of_class: The class to look for; by default the most probable one.
        k: How many classes to name.

    Raises:
        UnknownNameError: The model has no such class.
        InvalidModelDirectoryError: The network keeps no places of a picture apart.
    """
    classes = used.model.classes
    if of_class is not None and of_class not in classes:
        raise unknown_name("class", of_class, classes)
    position = None if of_class is None else classes.index(of_class)
    with used.compute.autocast(), full_float32(used.compute):
        inputs_1CHW = used.compute.inputs(image_CHW[None], used.model.preprocessing.normalisation)
        map_hw, logits_K = grad_cam(used.network, inputs_1CHW, position)
    prediction = ranked(file, logits_K, used.model, k)
    picture_HW3 = _enlarged(image_CHW.permute(1, 2, 0).numpy())
    height, width = picture_HW3.shape[:2]
    return SeenPicture(
        prediction=prediction,
        explained=prediction.classes[0] if of_class is None else of_class,
        picture_HW3=picture_HW3,
        map_HW=as_large_as(map_hw, height, width).numpy(),
    )


def _enlarged(picture_HW3: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a picture whose pixels are squares, if it is small."""
    factor = max(1, _LEAST_SIDE // max(picture_HW3.shape[:2]))
    enlarged: npt.NDArray[np.uint8] = picture_HW3.repeat(factor, axis=0).repeat(factor, axis=1)
    return enlarged
