"""One optimizer step: forward, backward, check, update.

Legend: B batch, C channels, H height, W width, K classes.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from imageloom.compute import Compute
from imageloom.metrics import ScoreSums


@dataclass(frozen=True)
class MicroBatch:
    """Pictures that pass the network together.

    Attributes:
        inputs_BCHW: float32 on the device, normalised.
        labels_B: int64 on the device.
        share: Its part of the step's pictures (of their class weights, where there are any), 0..1.
    """

    inputs_BCHW: torch.Tensor
    labels_B: torch.Tensor
    share: float


class NonFiniteError(Exception):
    """Loss or gradient is not finite; the caller knows epoch, step and rate and tells the user."""

    def __init__(self, kind: Literal["NaN", "infinite"], what: Literal["loss", "gradient"]) -> None:
        super().__init__(f"The {what} is {kind}")
        self.kind = kind
        self.what = what


@dataclass(frozen=True)
class Stepper:
    """What a step needs and does not change: network, loss, optimizer, device."""

    network: nn.Module
    criterion: nn.Module
    optimizer: torch.optim.Optimizer
    compute: Compute

    def take(self, batches: Iterable[MicroBatch]) -> ScoreSums:
        """Take one optimizer step over the joined batches.

        The gradient is that of the mean loss over all pictures of the step, however they are cut
        into batches (BatchNorm, which sees one batch at a time, excepted).

        Returns:
            The sums over the step's pictures; ``loss`` is the training objective (with class
            weights and label smoothing), ``top5`` is not counted.

        Raises:
            NonFiniteError: Loss or gradient is NaN or infinite. Parameters, optimizer and
                BatchNorm's running statistics are then as before the step.
        """
        buffers = list(self.network.buffers())
        before = [buffer.clone() for buffer in buffers]
        self.optimizer.zero_grad(set_to_none=True)
        sums = ScoreSums()
        try:
            for batch in batches:
                sums += self._backward(batch)
            self._check_gradient()
        except NonFiniteError:
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
            self.optimizer.zero_grad(set_to_none=True)
            raise
        self.optimizer.step()
        return sums

    def _backward(self, batch: MicroBatch) -> ScoreSums:
        with self.compute.autocast():
            logits_BK = self.network(batch.inputs_BCHW)
        loss = self.criterion(logits_BK.float(), batch.labels_B)
        (loss * batch.share).backward()
        correct = (logits_BK.argmax(dim=1) == batch.labels_B).sum()
        # One transfer for both numbers: each one makes a GPU wait for the host.
        values = torch.stack([loss.detach().double(), correct.double()]).tolist()
        _require_finite(values[0], "loss")
        images = len(batch.labels_B)
        return ScoreSums(images=images, loss=values[0] * images, top1=int(values[1]))

    def _check_gradient(self) -> None:
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        _require_finite(float(torch.nn.utils.get_total_norm(gradients)), "gradient")


def _require_finite(value: float, what: Literal["loss", "gradient"]) -> None:
    if not math.isfinite(value):
        raise NonFiniteError("NaN" if math.isnan(value) else "infinite", what)
