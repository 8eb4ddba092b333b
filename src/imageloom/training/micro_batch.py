"""Pictures that pass the network together.

Legend: B batch, C channels, H height, W width.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MixedIn:
    """What was blended into the pictures of a batch.

    Attributes:
        labels_B: Of the pictures that were blended in; as of ``MicroBatch``.
        part: How much of each picture is theirs, 0..1.
        share: As of ``MicroBatch``, by these labels.
    """

    labels_B: torch.Tensor
    part: float
    share: float


@dataclass(frozen=True)
class MicroBatch:
    """Pictures that pass the network together.

    Attributes:
        inputs_BCHW: float32 on the device, normalised.
        labels_B: int64 on the device; or float32 [B, K] where each picture may have several labels,
            1 for each that it has.
        share: Its part of the step's pictures (of their class weights, where there are any) over
            all processes, 0..1. With 0 it passes the network and changes nothing: for a process
            that must take part in a step that has no pictures for it.
        ends_step: Whether it is the last of this process in its step.
        mixed_in: What was blended into the pictures, if anything was.
    """

    inputs_BCHW: torch.Tensor
    labels_B: torch.Tensor
    share: float
    ends_step: bool = True
    mixed_in: MixedIn | None = None

    @property
    def main_labels(self) -> torch.Tensor:
        """The labels of what the larger part of each picture shows."""
        other = self.mixed_in
        return self.labels_B if other is None or other.part <= 0.5 else other.labels_B
