"""Where in a picture a network finds a class: Grad-CAM, for any network that keeps places apart.

Legend: C channels, H height, W width of the input; F features, h, w of an activation; T tokens.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

import torch
import torch.nn.functional as F
from torch import nn

from imageloom.errors import InvalidModelDirectoryError

_CHANNELS_LAST: Final = "NHWC"  # as timm says of networks such as Swin


def grad_cam(
    network: nn.Module, input_1CHW: torch.Tensor, position: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where a class is found, and the logits.

    It is taken at the last activation that has more than one place and on which the logit of the
    class depends at these places: of a convolutional network the one before pooling, of a vision
    transformer what enters the last block, for behind its attention only the class token counts.

    Args:
        network: In evaluation mode; neither it nor the gradients of its weights are changed.
        input_1CHW: Normalised input, float32, on the network's device.
        position: Of the class among the logits; by default that of the highest.

    Returns:
        float32 [h, w], 0 and above, in no unit: how much each place speaks for the class; and the
        logits, float32 [K]; both on the CPU.

    Raises:
        InvalidModelDirectoryError: The network has no such activation.

    Source:
        Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
        Localization, equations 1 and 2.
    """
    with torch.enable_grad(), _recording(network) as activations:
        logits_1K = network(input_1CHW.detach().clone().requires_grad_(True))
        chosen = int(logits_1K[0].argmax()) if position is None else position
        is_last = getattr(network, "output_fmt", "") == _CHANNELS_LAST
        aspect = input_1CHW.shape[-2] / input_1CHW.shape[-1]
        for activation in reversed(_maps_among(activations)):
            (gradient,) = torch.autograd.grad(
                logits_1K[0, chosen], activation, retain_graph=True, allow_unused=True
            )
            if gradient is None:
                continue
            gradient_Fhw = _by_place(gradient, aspect, channels_last=is_last)
            if gradient_Fhw is not None and bool(gradient_Fhw.any()):
                values_Fhw = _by_place(activation.detach(), aspect, channels_last=is_last)
                assert values_Fhw is not None  # it has the shape of its gradient
                weights_F = gradient_Fhw.mean(dim=(1, 2))
                map_hw = torch.einsum("f,fhw->hw", weights_F, values_Fhw).relu()
                return map_hw.float().cpu(), logits_1K[0].detach().float().cpu()
    raise InvalidModelDirectoryError(
        "The network has no activation that keeps places of the picture apart, so it cannot be "
        "said where it looks.",
        hint="Grad-CAM works with convolutional networks and vision transformers, and needs "
        "pictures that are larger than the network's stride.",
        reason="no-activation-map",
    )


def as_large_as(map_hw: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return a map in the size of a picture, its highest value 1; all 0 where nothing speaks."""
    map_HW = F.interpolate(
        map_hw[None, None], size=(height, width), mode="bilinear", align_corners=False
    )[0, 0]
    highest = float(map_HW.max())
    return map_HW / highest if highest > 0 else map_HW


@contextlib.contextmanager
def _recording(network: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Yield what modules give, in the order in which they finish; each tensor once."""
    found: list[torch.Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        if not isinstance(output, torch.Tensor) or output.dim() not in (3, 4):
            return
        # Windows of one picture stand side by side in the place of a batch: no map of the whole.
        if len(output) == 1 and output.requires_grad:
            # What is changed in place is given again later, and stands there.
            found[:] = [*(one for one in found if one is not output), output]

    handles = [module.register_forward_hook(keep) for module in network.modules()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _maps_among(activations: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return the activations without those of attention heads, which have tokens for rows."""
    tokens = {one.shape[1] for one in activations if one.dim() == 3}
    return [one for one in activations if one.dim() == 3 or tokens.isdisjoint(one.shape[1:3])]


def _by_place(
    activation: torch.Tensor, aspect: float, *, channels_last: bool
) -> torch.Tensor | None:
    """Return an activation as [F, h, w], or None where it has but one place, or no grid of them.

    Args:
        activation: [1, F, h, w], or [1, h, w, F] with ``channels_last``, or tokens [1, T, F].
        aspect: Height of the input by its width.
        channels_last: How the network lays four dimensions out.
    """
    if activation.dim() == 4:
        map_Fhw = activation[0].permute(2, 0, 1) if channels_last else activation[0]
        return map_Fhw if map_Fhw.shape[1] * map_Fhw.shape[2] > 1 else None
    tokens_TF = activation[0]
    height, width, extra = _grid(len(tokens_TF), aspect)
    if height * width <= 1:
        return None
    return tokens_TF[extra:].T.reshape(-1, height, width)


def _grid(num_tokens: int, aspect: float) -> tuple[int, int, int]:
    """Return height and width of the grid of patches, and the tokens before it.

    There are few such tokens (class, distillation, registers), so the largest grid is meant.
    """
    width = int((num_tokens / aspect) ** 0.5)
    height = round(width * aspect)
    while width > 1 and height * width > num_tokens:
        width -= 1
        height = round(width * aspect)
    return height, width, num_tokens - height * width
