"""Forward passes without gradients: batches of pictures in, logits out.

Legend: B batch, C channels, H height, W width, K classes.
"""

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch import nn

from imageloom.data.loading.loader import Batch
from imageloom.models.compute import Compute
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
        with torch.inference_mode(), compute.autocast(), full_float32(compute):
            logits_BK: torch.Tensor = network(compute.inputs(images_BCHW, normalisation))
        return logits_BK.float().cpu()
    finally:
        for module in training:
            module.training = True


@contextlib.contextmanager
def full_float32(compute: Compute) -> Iterator[None]:
    """Let convolutions on a GPU compute float32 in all its digits, where float32 is asked for.

    By default torch lets cuDNN round their inputs to TF32, which keeps 10 of 23 bits, so that a
    GPU would not score as a CPU does.
    """
    if not compute.is_gpu or compute.precision != "float32":
        yield
        return
    convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # an object, to torch
    before = convolutions.fp32_precision
    convolutions.fp32_precision = "ieee"
    try:
        yield
    finally:
        convolutions.fp32_precision = before
