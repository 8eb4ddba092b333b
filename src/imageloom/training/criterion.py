"""The loss: cross-entropy, with class weights and label smoothing where asked for."""

import numpy as np
import numpy.typing as npt
import torch

from imageloom.data.images.directory import ImageDirectory
from imageloom.models.compute import Compute
from imageloom.training.params import TrainParams


def class_weights(training: ImageDirectory, params: TrainParams) -> npt.NDArray[np.float64] | None:
    """Return the weight of each class in the loss, or None for equal weights.

    ``balanced`` is N / (K * n): with equal counts every weight is 1.

    Source:
        King and Zeng 2001, Logistic Regression in Rare Events Data, as in scikit-learn's
        compute_class_weight.
    """
    if params.class_weights == "none":
        return None
    counts = np.array(list(training.counts.values()), dtype=np.float64)
    weights_K: npt.NDArray[np.float64] = counts.sum() / (len(counts) * counts)
    return weights_K


def make_criterion(
    weights_K: npt.NDArray[np.float64] | None, params: TrainParams, compute: Compute
) -> torch.nn.Module:
    """Return the cross-entropy loss of a run: mean over the batch, by class weight if any."""
    weight = None
    if weights_K is not None:
        weight = torch.tensor(weights_K, dtype=torch.float32, device=compute.device)
    return torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=params.label_smoothing)
