"""Forward passes without gradients: batches of pictures in, logits out.

Legend: B batch, C channels, H height, W width, K classes.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final

import torch
from torch import nn

from imageloom.data.loading.loader import Batch
from imageloom.models.compute import Compute
from imageloom.preprocessing import Normalisation

_FILLED_TO: Final = 8
_FILLED_TO_IN_ONE_THREAD: Final = 16  # below it torch takes convolutions of its own then


def predict_batches(
    network: nn.Module,
    batches: Iterable[Batch],
    compute: Compute,
    normalisation: Normalisation,
    *,
    fill_to: int = 1,
) -> Iterator[tuple[Batch, torch.Tensor]]:
    """Yield each batch with its logits.

    The network is in evaluation mode during each forward pass and as before between passes, so a
    consumer that stops early leaves nothing changed.

    Args:
        network: On the device of ``compute``.
        batches: Pictures, uint8 on the CPU.
        compute: Device and arithmetic.
        normalisation: The network's own.
        fill_to: As for ``logits_of``.

    Yields:
        The batch, and its logits: float32 [B, K] on the CPU.
    """
    for batch in batches:
        images_BCHW = batch.images_BCHW
        yield batch, logits_of(network, images_BCHW, compute, normalisation, fill_to=fill_to)


def logits_of(
    network: nn.Module,
    images_BCHW: torch.Tensor,
    compute: Compute,
    normalisation: Normalisation,
    *,
    fill_to: int = 1,
) -> torch.Tensor:
    """Return the logits of one batch: float32 [B, K] on the CPU.

    Args:
        network: On the device of ``compute``; its mode is left as it was.
        images_BCHW: uint8, 0 to 255, on the CPU.
        compute: Device and arithmetic.
        normalisation: The network's own.
        fill_to: Black pictures are added until there are a multiple of so many; their logits are
            left out.
    """
    filled_BCHW = _filled(images_BCHW, fill_to)
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        # Not around the yield: a generator would leave its caller in inference mode.
        with torch.inference_mode(), compute.autocast(), full_float32(compute):
            logits_BK: torch.Tensor = network(compute.inputs(filled_BCHW, normalisation))
        return logits_BK[: len(images_BCHW)].float().cpu()
    finally:
        for module in training:
            module.training = True


def choose_fill() -> int:
    """Return to a multiple of how many pictures batches are filled up where bits count.

    Libraries take other ways for the last few rows of a product, and for few pictures, so that the
    last digits of a picture vary with how many are beside it. In these multiples they did not on
    any CPU that was tried (decision 0030).
    """
    return _FILLED_TO if torch.get_num_threads() > 1 else _FILLED_TO_IN_ONE_THREAD


def probabilities_from(
    logits_BK: torch.Tensor, *, has_several_labels: bool = False
) -> torch.Tensor:
    """Return float32 [B, K] that adds up to 1 in each row.

    It is computed in float64, so that a row of a thousand classes adds up to 1 within float32.

    Args:
        logits_BK: Of a network.
        has_several_labels: Whether a picture may have several, so that each number is the
            probability of one label, whatever the others; rows then add up to anything.
    """
    if has_several_labels:
        return logits_BK.double().sigmoid().float()
    return logits_BK.double().softmax(dim=1).float()


def _filled(images_BCHW: torch.Tensor, multiple: int) -> torch.Tensor:
    lacking = -len(images_BCHW) % multiple
    if not lacking:
        return images_BCHW
    black_BHWC = images_BCHW.new_zeros((lacking, *images_BCHW.permute(0, 2, 3, 1).shape[1:]))
    return torch.cat([images_BCHW.permute(0, 2, 3, 1), black_BHWC]).permute(0, 3, 1, 2)


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
