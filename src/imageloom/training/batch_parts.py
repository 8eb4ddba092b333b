"""Batches that pass the network in parts, because memory ran out once with whole ones."""

import math
from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import nn

from imageloom.training.micro_batch import MicroBatch, MixedIn

_LEAST: Final = 2  # pictures of a part; BatchNorm cannot normalise over one value


class BatchParts:
    """Cuts batches so that no part is larger than what has fitted.

    The gradients of a batch's parts add up to that of the batch, BatchNorm excepted, which sees
    each part by itself.

    Args:
        criterion: The loss; its class weights say how much of a batch a part is.
        tell: Hears what was changed, in a sentence.
    """

    def __init__(self, criterion: nn.Module, tell: Callable[[str], None]) -> None:
        self._weight_K = getattr(criterion, "weight", None)
        self._tell = tell
        self._most: int | None = None

    def cut_more(self, images: int) -> bool:
        """Let no part be larger than half of one that did not fit.

        Args:
            images: Pictures of that one.

        Returns:
            Whether it can be cut at all.
        """
        if images < 2 * _LEAST:
            return False
        self._most = images // 2
        self._tell(
            f"Memory ran out with {images} pictures at once. The step is taken again, and from now "
            f"on batches pass the network in parts of about {self._most} pictures, whose gradients "
            "are added up: the same result, except that BatchNorm sees each part by itself."
        )
        return True

    def of(self, batch: MicroBatch) -> Iterator[MicroBatch]:
        """Yield the parts of a batch."""
        images = len(batch.labels_B)
        wanted = 1 if self._most is None else math.ceil(images / self._most)
        parts = max(1, min(wanted, images // _LEAST))
        if parts == 1:
            yield batch
            return
        for part in range(parts):
            here = slice(part * images // parts, (part + 1) * images // parts)
            yield MicroBatch(
                inputs_BCHW=batch.inputs_BCHW[here],
                labels_B=batch.labels_B[here],
                share=batch.share * self._part(batch.labels_B, here),
                ends_step=batch.ends_step and part == parts - 1,
                mixed_in=None if batch.mixed_in is None else self._mixed_in(batch.mixed_in, here),
            )

    def _mixed_in(self, other: MixedIn, here: slice) -> MixedIn:
        share = other.share * self._part(other.labels_B, here)
        return MixedIn(other.labels_B[here], part=other.part, share=share)

    def _part(self, labels_B: torch.Tensor, here: slice) -> float:
        return self._amount(labels_B[here]) / self._amount(labels_B)

    def _amount(self, labels_B: torch.Tensor) -> float:
        """Return how much labels count in a mean: their number, or the sum of their weights."""
        if self._weight_K is None:
            return float(len(labels_B))
        return float(self._weight_K[labels_B].double().sum())
