"""Forward passes without gradients: batches of pictures in, logits out.

Legend: B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import nn

from imageloom.compute import Compute
from imageloom.data.loader import Batch
from imageloom.preprocessing import Normalisation


def predict_batches(
    network: nn.Module, batches: Iterable[Batch], compute: Compute, normalisation: Normalisation
) -> Iterator[tuple[Batch, torch.Tensor]]:
    """Yield each batch with its logits.

    The network is in evaluation mode during each forward pass and as before between passes, so a
    consumer that stops early leaves nothing changed.

    Args:
        network: On the device of ``compute``.
        batches: Pictures, uint8 on the CPU.
        compute: Device and arithmetic.
        normalisation: The network's own.

    Yields:
        The batch, and its logits: float32 [B, K] on the CPU.
    """
    for batch in batches:
        yield batch, logits_of(network, batch.images_BCHW, compute, normalisation)


def logits_of(
    network: nn.Module,
    images_BCHW: torch.Tensor,
    compute: Compute,
    normalisation: Normalisation,
) -> torch.Tensor:
    """Return the logits of one batch: float32 [B, K] on the CPU.

    Args:
        network: On the device of ``compute``; its mode is left as it was.
        images_BCHW: uint8, 0 to 255, on the CPU.
        compute: Device and arithmetic.
        normalisation: The network's own.
    """
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        # Not around the yield: a generator would leave its caller in inference mode.
        with torch.inference_mode(), compute.autocast():
            logits_BK: torch.Tensor = network(compute.inputs(images_BCHW, normalisation))
        return logits_BK.float().cpu()
    finally:
        for module in training:
            module.training = True
