"""Which picture sizes a network can be trained on, found by trying without memory."""

# B batch, H height, W width, K classes

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from imageloom.errors import InvalidDatasetError, library_text

# Tried when the asked size does not work; those that published networks use are among them.
_USUAL_SIZES: Final = (32, 64, 96, 128, 160, 192, 224, 240, 256, 288, 320, 384, 448, 512, 768)


@dataclass(frozen=True)
class InputFacts:
    """What is known of a network and a picture size that go together.

    Attributes:
        allows_single_picture: Whether a batch of one picture can be trained on at this size. Where
            it is false, some BatchNorm would see one value per channel, so that a last batch of
            one must be merged or left out.
    """

    allows_single_picture: bool


def try_input(network: nn.Module, title: str, num_classes: int, input_size: int) -> InputFacts:
    """Run a network on the ``meta`` device in training mode and say what a size allows.

    Args:
        network: Parameters on the ``meta`` device.
        title: Name of the network for the message.
        num_classes: Numbers it must return per picture.
        input_size: Side of the square pictures in pixels.

    Raises:
        InvalidDatasetError: The size does not work; the message has the least one that does.
    """

    def problem(size: int, batch: int = 2) -> str:
        return _problem(network.train(), size, batch, num_classes)

    why = problem(input_size)
    if why:
        raise InvalidDatasetError(
            f"{title} needs pictures {_needed(input_size, problem)}, but they have {input_size} px "
            f"({why[:300]}).",
            hint="Choose an image size that fits, or another network; for pictures of 32 to 64 px "
            "ResNet and DenseNet have the small stem.",
            reason="input-size",
            details={"input_size": input_size},
        )
    return InputFacts(allows_single_picture=not problem(input_size, batch=1))


def _problem(network: nn.Module, size: int, batch: int, num_classes: int) -> str:
    """Return why a forward pass cannot work, or nothing."""
    images_BCHW = torch.empty(batch, 3, size, size, device="meta")
    try:
        with torch.no_grad():
            logits_BK = network(images_BCHW)
    # ValueError from BatchNorm, RuntimeError from pooling, AssertionError from timm's size checks.
    except (ValueError, RuntimeError, AssertionError) as problem:
        return library_text(problem).split("\n")[0].rstrip(".") or type(problem).__name__
    if getattr(logits_BK, "shape", None) != (batch, num_classes):
        return f"it does not return {num_classes} numbers per picture"
    return ""


def _needed(size: int, problem: Callable[[int], str]) -> str:
    larger = _first(problem, (one for one in _USUAL_SIZES if one > size))
    if larger:
        least = _least(problem, failing=size, working=larger)
        # Transformers with a fixed grid of patches take one size; convolutions take any above.
        return f"of {'exactly' if problem(least + 32) else '>='} {least} px"
    smaller = _first(problem, (one for one in reversed(_USUAL_SIZES) if one < size))
    return f"of {smaller} px" if smaller else "of another kind"


def _first(problem: Callable[[int], str], sizes: Iterable[int]) -> int | None:
    return next((size for size in sizes if not problem(size)), None)


def _least(problem: Callable[[int], str], *, failing: int, working: int) -> int:
    """Return the least working size between two, by halving."""
    while working - failing > 1:
        middle = (failing + working) // 2
        if problem(middle):
            failing = middle
        else:
            working = middle
    return working
