"""What differs in a training between pictures with one label each and with several.

Legend: B batch, K classes.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.loader import Batch
from imageloom.metrics import (
    LabelSetSums,
    ScoreSums,
    joined_label_set_sums,
    joined_sums,
    label_set_sums,
    score_sums,
)
from imageloom.models.compute import Compute
from imageloom.training.criterion import (
    class_weights,
    make_criterion,
    make_label_set_criterion,
    positive_weights,
)
from imageloom.training.params import TrainParams

ValidationSums = ScoreSums | LabelSetSums


def criterion_of(training: ImageDirectory, params: TrainParams, compute: Compute) -> nn.Module:
    """Return the loss that fits the labels of the training pictures."""
    if training.has_several_labels:
        return make_label_set_criterion(positive_weights(training, params), params, compute)
    return make_criterion(class_weights(training, params), params, compute)


def labels_of(images: ImageDirectory, batch: Batch) -> torch.Tensor:
    """Return the labels of a batch: int64 [B], or of several float32 [B, K] of 0 and 1."""
    if not images.has_several_labels:
        return batch.labels_B
    return torch.from_numpy(images.label_sets[batch.positions_B.numpy()]).float()


def numbers_of(images: ImageDirectory, batch: Batch, logits_BK: torch.Tensor) -> list[float]:
    """Return the sums of a validated batch, as processes exchange them; pictures come first."""
    labels = labels_of(images, batch)
    if images.has_several_labels:
        return label_set_sums(logits_BK, labels > 0).as_numbers()
    return score_sums(logits_BK, labels).as_numbers()


def joined_numbers(images: ImageDirectory, rows: Iterable[Sequence[float]]) -> ValidationSums:
    """Return the sum over rows of such numbers, none of which need be there."""
    return joined_label_set_sums(rows) if images.has_several_labels else joined_sums(rows)
