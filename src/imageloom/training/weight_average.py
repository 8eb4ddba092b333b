"""A running mean of a network's weights, often better at naming pictures than the last ones."""

import copy

import torch
from torch import nn

from imageloom.training.params import TrainParams


class WeightAverage:
    """An exponential moving average of all that a network has learned, BatchNorm's figures too.

    At first it follows the weights quickly: after n steps the old mean counts (1 + n) / (10 + n) at
    most, so it is not held back by the random weights of the beginning.

    Args:
        source: Whose weights; its values of now are the first mean.
        decay: How much the old mean counts in each step, 0 to below 1.

    Attributes:
        network: A copy that has the mean; never trained.

    Source:
        Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging; the slow
        beginning is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, source: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(source).requires_grad_(False).eval()
        self._decay = decay
        # Counters, such as BatchNorm's of batches, have no mean.
        pairs = [
            (mean, value)
            for mean, value in zip(_state(self.network), _state(source), strict=True)
            if value.is_floating_point()
        ]
        self._means, self._values = [list(column) for column in zip(*pairs, strict=True)]

    def update(self, steps: int) -> None:
        """Take the weights after a step in.

        Args:
            steps: How many steps were taken before.
        """
        decay = min(self._decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(self._means, self._values, 1.0 - decay)


def average_of(network: nn.Module, params: TrainParams) -> WeightAverage | None:
    """Return the mean that a run asks for, or None."""
    return WeightAverage(network, params.average_decay) if params.average_decay > 0 else None


def _state(network: nn.Module) -> list[torch.Tensor]:
    return [value.detach() for value in network.state_dict().values()]
