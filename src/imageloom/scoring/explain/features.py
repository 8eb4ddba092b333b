"""What the last layer of a network sees of a picture: its features, which tell alike from unlike.

Legend: B batch, C channels, H height, W width, F features.
"""

import contextlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.family import FAMILIES
from imageloom.scoring.inference import logits_of
from imageloom.scoring.model_in_use import ModelInUse


def features_of(used: ModelInUse, images_BCHW: torch.Tensor) -> torch.Tensor:
    """Return what the head gets of each picture, of length 1: float32 [B, F] on the CPU.

    Args:
        used: The model.
        images_BCHW: uint8, 0 to 255, on the CPU, after the model's transforms.

    Raises:
        InvalidModelDirectoryError: The network's head is not called.
    """
    head = head_of(used)
    with _entering(head) as seen:
        logits_of(used.network, images_BCHW, used.compute, used.model.preprocessing.normalisation)
    if not seen:
        raise InvalidModelDirectoryError(
            "The network does not call its own head, so it is not known what the head sees.",
            hint="Choose a network of another family to look for alike pictures.",
            reason="no-features",
        )
    return F.normalize(_flat(seen[0]).float(), dim=1).cpu()


def head_of(used: ModelInUse) -> nn.Module:
    """Return the module that turns features into one number per class."""
    family = FAMILIES.get(used.model.architecture.family)
    return used.network.get_submodule(family.head_modules(used.network)[0])


@contextlib.contextmanager
def _entering(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Yield what enters a module while it is called."""
    seen: list[torch.Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append(inputs[0].detach())

    handle = module.register_forward_pre_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


def _flat(features: torch.Tensor) -> torch.Tensor:
    """Return [B, F] of what enters a head; of places [B, F, H, W] or tokens the mean."""
    if features.dim() == 4:
        return features.mean(dim=(2, 3))
    return features.mean(dim=1) if features.dim() == 3 else features
