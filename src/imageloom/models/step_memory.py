"""What a training step keeps in memory, found by trying without memory."""

# B batch, C channels, H height, W width

from typing import Final

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

# The gradient of such a layer's weight is made from the layer's input.
_LEARNING_LAYERS: Final = (nn.Conv2d, nn.Linear, _BatchNorm, nn.LayerNorm, nn.GroupNorm)


def values_kept_for_backward(network: nn.Module, batch_size: int, input_size: int) -> int:
    """Return how many numbers a forward pass keeps at least until the backward pass.

    They are the inputs of all layers whose weights learn, each tensor once. All of them are there
    when the forward pass ends; what other operations keep, such as attention, comes on top and
    depends on the device.

    Args:
        network: Parameters on the ``meta`` device, frozen ones marked, in the mode it trains in.
        batch_size: Pictures that pass the network together.
        input_size: Side of the square pictures in pixels; one that the network takes.
    """
    kept: dict[int, tuple[torch.UntypedStorage, int]] = {}

    def keep(_layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        storage = inputs[0].untyped_storage()
        _, known = kept.get(storage._cdata, (storage, 0))
        # Held, so that no other storage gets its address.
        kept[storage._cdata] = storage, max(known, inputs[0].numel())

    hooks = [
        layer.register_forward_pre_hook(keep)
        for layer in network.modules()
        if isinstance(layer, _LEARNING_LAYERS) and _learns(layer)
    ]
    images_BCHW = torch.empty(batch_size, 3, input_size, input_size, device="meta")
    with torch.no_grad():
        network(images_BCHW)
    for hook in hooks:
        hook.remove()
    return sum(values for _, values in kept.values())


def _learns(layer: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in layer.parameters(recurse=False))
