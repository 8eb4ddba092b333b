"""Pictures that pass the network together.

Legend: B batch, C channels, H height, W width.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MicroBatch:
    """Pictures that pass the network together.

    Attributes:
        inputs_BCHW: float32 on the device, normalised.
        labels_B: int64 on the device.
        share: Its part of the step's pictures (of their class weights, where there are any) over
            all processes, 0..1. With 0 it passes the network and changes nothing: for a process
            that must take part in a step that has no pictures for it.
        ends_step: Whether it is the last of this process in its step.
    """

    inputs_BCHW: torch.Tensor
    labels_B: torch.Tensor
    share: float
    ends_step: bool = True
