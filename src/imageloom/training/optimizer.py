"""The optimizer: which parameters it moves and which of them decay."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import nn

from imageloom.errors import ParameterParsingError
from imageloom.models.architecture import Architecture, layer_numbers
from imageloom.system.compiler_left_out import leave_compiler_out, with_plain_step
from imageloom.training.params import TrainParams

MOMENTUM: Final = 0.9
_RATE_SCALE: Final = "lr_scale"  # the name that timm gives it


def make_optimizer(
    network: nn.Module, params: TrainParams, architecture: Architecture | None = None
) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum 0.9, or AdamW, over the parameters that are not frozen.

    Weight decay leaves out norms and biases, that is every parameter with one dimension, unless
    ``decay_norm_and_bias`` asks for the old rule. With ``layer_decay`` d the rate of layer i of n,
    counted from 0 at the pictures, is d**(n - 1 - i) of the schedule's.

    Args:
        network: What learns.
        params: The run's.
        architecture: What it was built from; only ``layer_decay`` asks for it.

    Raises:
        NotInRangeValueError: There is a ``layer_decay``, but the network does not tell its layers.

    Source:
        Goyal et al. 2017, Accurate, Large Minibatch SGD, section 5.3 (no decay on BatchNorm);
        He et al. 2018, Bag of Tricks, section 3.1 (nor on biases); Bao et al. 2021, BEiT,
        appendix H (decay of rates by layer, as in its code and timm's).
    """
    scales = _rate_scales(network, params, architecture)
    moving: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decays = parameter.ndim > 1 or params.decay_norm_and_bias
            moving.setdefault((scales.get(name, 1.0), decays), []).append(parameter)
    groups = [
        {
            "params": moving[scale, decays],
            "weight_decay": params.weight_decay if decays else 0.0,
            _RATE_SCALE: scale,
        }
        # Those that decay come first, as checkpoints number them.
        for scale, decays in sorted(moving, key=lambda group: (not group[1], group[0]))
    ]
    leave_compiler_out(torch.optim.Optimizer)
    # Fused: each parameter is read and written once in a step, not once in each of its operations.
    optimizer = (
        torch.optim.AdamW(groups, lr=params.learning_rate, fused=True)
        if params.optimizer == "adamw"
        else torch.optim.SGD(
            groups, lr=params.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True
        )
    )
    with_plain_step(optimizer)
    return optimizer


def refuse_idle_layer_decay(params: TrainParams) -> None:
    """Refuse to decay rates by layer where the last layer alone learns.

    Raises:
        ParameterParsingError: Both are asked for.
    """
    if params.layer_decay < 1 and params.freeze == "body":
        raise ParameterParsingError(
            f'layer_decay is {params.layer_decay:g}, but with freeze "body" the last layer alone '
            "learns, and its rate is the whole one.",
            hint="Leave --layer-decay or --freeze out.",
            reason="layer-decay-of-frozen",
            details={"parameter": "layer_decay", "value": params.layer_decay},
        )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Use this learning rate from the next step on, and below the last layer its part of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[_RATE_SCALE]


def _rate_scales(
    network: nn.Module, params: TrainParams, architecture: Architecture | None
) -> Mapping[str, float]:
    """Return by which part of the rate each parameter moves; none of those with the whole one."""
    if params.layer_decay == 1.0:
        return {}
    assert architecture is not None, "who decays rates by layer says of which network"
    layers = layer_numbers(architecture, network)
    last = max(layers.values())
    return {name: params.layer_decay ** (last - number) for name, number in layers.items()}
