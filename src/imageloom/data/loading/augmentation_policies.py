"""Policies that change a picture by one of many operations, drawn anew each time.

Spaces, draws and functions are those of torchvision's transforms of the same names, with bilinear
interpolation and black corners; a test holds the pixels equal.

Legend: C channels, H height, W width.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Final

import torch

from imageloom import preprocessing as records
from imageloom.data.loading.pixel_functions import F
from imageloom.data.loading.random_numbers import Draw
from imageloom.data.loading.resize import BILINEAR

_BINS: Final = 31  # of the strength, from none to the most
_WHITE: Final = 255

Change = Callable[[torch.Tensor, float], torch.Tensor]
Strengths = Mapping[str, tuple[tuple[float, ...], bool]]
"""Of each operation: its strengths, empty where it has none, and whether its sign is drawn."""


def trivial_augment(_: records.TrivialAugment, image_CHW: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Change a picture by one operation of any strength."""
    return _changed(image_CHW, _wide_strengths(), draw, strength=None)


def rand_augment(op: records.RandAugment, image_CHW: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Change a picture by some operations of one strength, one after the other."""
    strengths = _strengths(image_CHW.shape[-2], image_CHW.shape[-1])
    for _ in range(op.num_ops):
        image_CHW = _changed(image_CHW, strengths, draw, strength=op.magnitude)
    return image_CHW


def _changed(
    image_CHW: torch.Tensor, strengths: Strengths, draw: Draw, *, strength: int | None
) -> torch.Tensor:
    """Return the picture after an operation that is drawn, as its strength is where it is None."""
    name = tuple(strengths)[draw.integer(0, len(strengths))]
    levels, is_signed = strengths[name]
    amount = 0.0
    if levels:
        amount = levels[draw.integer(0, _BINS) if strength is None else strength]
        if is_signed and draw.uniform(0.0, 1.0) <= 0.5:
            amount = -amount
    return _CHANGES[name](image_CHW, amount)


def _levels(low: float, high: float) -> tuple[float, ...]:
    return tuple(torch.linspace(low, high, _BINS).tolist())


def _space(*, geometry: tuple[float, float, float, float], colour: float, bits: int) -> Strengths:
    """Return the strengths of all operations.

    Args:
        geometry: The most that is sheared (a share of the side), moved to the side and down
            (pixels), and turned (degrees).
        colour: How far brightness, saturation, contrast and sharpness move from 1.
        bits: How many of 8 are taken away at most.
    """
    shear, right, down, degrees = geometry
    posterized = torch.arange(_BINS) / ((_BINS - 1) / bits)
    return {
        "Identity": ((), False),
        "ShearX": (_levels(0.0, shear), True),
        "ShearY": (_levels(0.0, shear), True),
        "TranslateX": (_levels(0.0, right), True),
        "TranslateY": (_levels(0.0, down), True),
        "Rotate": (_levels(0.0, degrees), True),
        **{name: (_levels(0.0, colour), True) for name in _COLOURS},
        "Posterize": (tuple((8 - posterized).round().tolist()), False),
        "Solarize": (_levels(1.0, 0.0), False),
        "AutoContrast": ((), False),
        "Equalize": ((), False),
    }


@functools.cache
def _wide_strengths() -> Strengths:
    return _space(geometry=(0.99, 32.0, 32.0, 135.0), colour=0.99, bits=6)


@functools.lru_cache(maxsize=64)
def _strengths(height: int, width: int) -> Strengths:
    right, down = (150.0 / 331.0 * side for side in (width, height))
    return _space(geometry=(0.3, right, down, 30.0), colour=0.9, bits=4)


def _sheared(image_CHW: torch.Tensor, *, right: float = 0.0, down: float = 0.0) -> torch.Tensor:
    changed: torch.Tensor = F.affine(
        image_CHW,
        angle=0.0,
        translate=[0, 0],
        scale=1.0,
        shear=[math.degrees(math.atan(right)), math.degrees(math.atan(down))],
        interpolation=BILINEAR,
        fill=None,
        center=[0.0, 0.0],
    )
    return changed


def _moved(image_CHW: torch.Tensor, *, right: int = 0, down: int = 0) -> torch.Tensor:
    changed: torch.Tensor = F.affine(
        image_CHW,
        angle=0.0,
        translate=[right, down],
        scale=1.0,
        shear=[0.0, 0.0],
        interpolation=BILINEAR,
        fill=None,
    )
    return changed


def _turned(image_CHW: torch.Tensor, degrees: float) -> torch.Tensor:
    changed: torch.Tensor = F.rotate(image_CHW, degrees, interpolation=BILINEAR, fill=None)
    return changed


def _factor(adjust: Callable[[torch.Tensor, float], torch.Tensor]) -> Change:
    return lambda image_CHW, amount: adjust(image_CHW, 1.0 + amount)


_COLOURS: Final[dict[str, Change]] = {
    "Brightness": _factor(F.adjust_brightness),
    "Color": _factor(F.adjust_saturation),
    "Contrast": _factor(F.adjust_contrast),
    "Sharpness": _factor(F.adjust_sharpness),
}
_CHANGES: Final[dict[str, Change]] = {
    "Identity": lambda image_CHW, _: image_CHW,
    "ShearX": lambda image_CHW, amount: _sheared(image_CHW, right=amount),
    "ShearY": lambda image_CHW, amount: _sheared(image_CHW, down=amount),
    "TranslateX": lambda image_CHW, amount: _moved(image_CHW, right=int(amount)),
    "TranslateY": lambda image_CHW, amount: _moved(image_CHW, down=int(amount)),
    "Rotate": _turned,
    **_COLOURS,
    "Posterize": lambda image_CHW, amount: F.posterize(image_CHW, int(amount)),
    "Solarize": lambda image_CHW, amount: F.solarize(image_CHW, _WHITE * amount),
    "AutoContrast": lambda image_CHW, _: F.autocontrast(image_CHW),
    "Equalize": lambda image_CHW, _: F.equalize(image_CHW),
}
