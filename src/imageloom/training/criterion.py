"""The loss: cross-entropy, with class weights, label smoothing or focus where asked for.

With several labels per picture it is the binary cross-entropy of each label, summed over them.

Legend: B batch, K classes.
"""

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
    if params.class_weights == "none" or training.has_several_labels:
        return None
    counts = np.array(list(training.counts.values()), dtype=np.float64)
    weights_K: npt.NDArray[np.float64] = counts.sum() / (len(counts) * counts)
    return weights_K


def positive_weights(
    training: ImageDirectory, params: TrainParams
) -> npt.NDArray[np.float64] | None:
    """Return how much more a picture with each label counts in the loss than one without.

    ``balanced`` is (N - n) / n of n pictures with the label, so that both kinds weigh the same in
    all. None for equal weights.
    """
    if params.class_weights == "none":
        return None
    counts = np.array(list(training.counts.values()), dtype=np.float64)
    weights_K: npt.NDArray[np.float64] = (len(training) - counts) / counts
    return weights_K


def make_label_set_criterion(
    weights_K: npt.NDArray[np.float64] | None, params: TrainParams, compute: Compute
) -> torch.nn.Module:
    """Return the loss of a run on pictures with several labels each."""
    weight = _weight(weights_K, compute)
    return LabelSetLoss(weight, params.label_smoothing, params.focal_gamma)


def make_criterion(
    weights_K: npt.NDArray[np.float64] | None, params: TrainParams, compute: Compute
) -> torch.nn.Module:
    """Return the loss of a run: mean over the batch, by class weight if any."""
    weight = _weight(weights_K, compute)
    if params.focal_gamma > 0:
        return FocalLoss(weight, params.label_smoothing, params.focal_gamma)
    return torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=params.label_smoothing)


def _weight(weights_K: npt.NDArray[np.float64] | None, compute: Compute) -> torch.Tensor | None:
    if weights_K is None:
        return None
    return torch.tensor(weights_K, dtype=torch.float32, device=compute.device)


class FocalLoss(torch.nn.Module):
    """Cross-entropy in which pictures that are named well already count less.

    Each picture's loss is multiplied by ``(1 - p)**gamma``, p being the probability of its class.

    Args:
        weight: Of each class, float32, shape [K], or None for equal weights.
        label_smoothing: Share of the target spread over all classes, 0 to below 1.
        gamma: How much less; above 0. With 0 it would be cross-entropy.

    Source:
        Lin et al. 2017, Focal Loss for Dense Object Detection, equation 5.
    """

    weight: torch.Tensor | None

    def __init__(self, weight: torch.Tensor | None, label_smoothing: float, gamma: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight, persistent=False)
        self._label_smoothing = label_smoothing
        self._gamma = gamma

    def forward(self, logits_BK: torch.Tensor, labels_B: torch.Tensor) -> torch.Tensor:
        """Return the mean loss, by class weight if any; float32, no dimensions.

        Args:
            logits_BK: float32.
            labels_B: int64, 0 to K - 1.
        """
        losses_B = torch.nn.functional.cross_entropy(
            logits_BK,
            labels_B,
            weight=self.weight,
            label_smoothing=self._label_smoothing,
            reduction="none",
        )
        missing_B = 1.0 - logits_BK.softmax(dim=1).gather(1, labels_B[:, None])[:, 0]
        # The slope of a root is infinite at 0.
        missing_B = missing_B.clamp(min=torch.finfo(missing_B.dtype).eps)
        total = len(labels_B) if self.weight is None else self.weight[labels_B].sum()
        return (missing_B**self._gamma * losses_B).sum() / total


class LabelSetLoss(torch.nn.Module):
    """Binary cross-entropy of each label, summed over labels: a mean over pictures.

    The sum makes a picture's gradient at each logit ``probability - target``, as cross-entropy's
    is, so that learning rates are of the same size; a mean would divide them by K.

    Args:
        positive_weight: How much more a picture with each label counts than one without, float32,
            shape [K], or None for 1.
        label_smoothing: Share of each target that goes to its middle: 1 becomes 1 - s / 2, 0
            becomes s / 2.
        gamma: Each label's loss is multiplied by ``(1 - p)**gamma``, p being the probability of
            what is true of it; 0 does not.

    Source:
        Lin et al. 2017, Focal Loss for Dense Object Detection, equation 4, without alpha; label
        smoothing as Keras' BinaryCrossentropy.
    """

    positive_weight: torch.Tensor | None

    def __init__(
        self, positive_weight: torch.Tensor | None, label_smoothing: float, gamma: float
    ) -> None:
        super().__init__()
        self.register_buffer("positive_weight", positive_weight, persistent=False)
        self._label_smoothing = label_smoothing
        self._gamma = gamma

    def forward(self, logits_BK: torch.Tensor, labels_BK: torch.Tensor) -> torch.Tensor:
        """Return the mean over pictures; float32, no dimensions.

        Args:
            logits_BK: float32.
            labels_BK: float32, 1 for a label that the picture has and 0 for others.
        """
        targets_BK = labels_BK * (1.0 - self._label_smoothing) + self._label_smoothing / 2
        losses_BK = torch.nn.functional.binary_cross_entropy_with_logits(
            logits_BK, targets_BK, pos_weight=self.positive_weight, reduction="none"
        )
        if self._gamma > 0:
            # The probability of the other answer, computed so that it is exact where it is small.
            missing_BK = (logits_BK * (1.0 - 2.0 * labels_BK)).sigmoid()
            missing_BK = missing_BK.clamp(min=torch.finfo(missing_BK.dtype).eps)
            losses_BK = missing_BK**self._gamma * losses_BK
        return losses_BK.sum(dim=1).mean()
