"""The optimizer: which parameters it moves and which of them decay."""

from typing import Final

import torch
from torch import nn

from imageloom.training.params import TrainParams

MOMENTUM: Final = 0.9


def make_optimizer(network: nn.Module, params: TrainParams) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum 0.9, or AdamW, over the parameters that are not frozen.

    Weight decay leaves out norms and biases, that is every parameter with one dimension, unless
    ``decay_norm_and_bias`` asks for the old rule.

    Source:
        Goyal et al. 2017, Accurate, Large Minibatch SGD, section 5.3 (no decay on BatchNorm);
        He et al. 2018, Bag of Tricks, section 3.1 (nor on biases).
    """
    moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decays = [p for p in moving if p.ndim > 1 or params.decay_norm_and_bias]
    stays = [p for p in moving if not (p.ndim > 1 or params.decay_norm_and_bias)]
    groups = [
        {"params": parameters, "weight_decay": weight_decay}
        for parameters, weight_decay in ((decays, params.weight_decay), (stays, 0.0))
        if parameters
    ]
    # Fused: each parameter is read and written once in a step, not once in each of its operations.
    if params.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=params.learning_rate, fused=True)
    return torch.optim.SGD(
        groups, lr=params.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Use this learning rate from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = rate
