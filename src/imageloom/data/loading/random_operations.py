"""The random operations: what each one draws, and torchvision's function that does it.

Each draws the numbers that torchvision's transform of the same name draws from torch's global
generator, in the same order; a test holds the pixels equal. The transforms themselves cannot be
used by threads, which share that generator.

Legend: C channels, H height, W width.
"""

import functools
import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import torch

from imageloom import preprocessing as records
from imageloom.data.loading.pixel_functions import F
from imageloom.data.loading.random_numbers import Draw, float32
from imageloom.data.loading.resize import BILINEAR, resized
from imageloom.errors import InvalidDatasetError

_ATTEMPTS: Final = 10  # at a part that fits; then torchvision takes the middle, or erases nothing
_CROP_RATIOS: Final = (3 / 4, 4 / 3)
_ERASED_SHARES: Final = (0.02, 0.33)
_ERASED_RATIOS: Final = (0.3, 3.3)


class Rectangle(NamedTuple):
    """A rectangle of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


def random_part(op: records.RandomResizedCrop, height: int, width: int, draw: Draw) -> Rectangle:
    """Return the part of a picture of ``height`` x ``width`` pixels that is cut out."""
    for _ in range(_ATTEMPTS):
        area = height * width * draw.uniform(op.min_scale, 1.0)
        ratio = _drawn_ratio(_CROP_RATIOS, draw)
        part_width, part_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < part_width <= width and 0 < part_height <= height:
            top = draw.integer(0, height - part_height + 1)
            left = draw.integer(0, width - part_width + 1)
            return Rectangle(top, left, part_height, part_width)
    lowest, highest = _CROP_RATIOS
    part_width = min(width, round(height * highest))
    part_height = min(height, round(width / lowest))
    return Rectangle(
        (height - part_height) // 2, (width - part_width) // 2, part_height, part_width
    )


def random_resized_crop(
    op: records.RandomResizedCrop, image_CHW: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Cut out a random part and scale it."""
    return resized_part(
        op, image_CHW, random_part(op, image_CHW.shape[-2], image_CHW.shape[-1], draw)
    )


def resized_part(
    op: records.RandomResizedCrop, image_CHW: torch.Tensor, part: Rectangle
) -> torch.Tensor:
    """Cut out a part that was drawn before, and scale it."""
    top, left, height, width = part
    part_CHW = image_CHW[:, top : top + height, left : left + width]
    return resized(part_CHW, [op.size, op.size])


def random_crop(op: records.RandomCrop, image_CHW: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Cut out a square at a random place, after padding each side.

    Raises:
        InvalidDatasetError: It is larger than the picture.
    """
    require_size(image_CHW, op.size - 2 * op.padding, "random crop")
    height, width = (side + 2 * op.padding for side in image_CHW.shape[-2:])
    top = draw.integer(0, height - op.size + 1) if height > op.size else 0
    left = draw.integer(0, width - op.size + 1) if width > op.size else 0
    return _square(image_CHW, top - op.padding, left - op.padding, op.size)


def _square(image_CHW: torch.Tensor, top: int, left: int, size: int) -> torch.Tensor:
    """Return a square of a picture that may reach over its borders, where it is black."""
    # Copied once, as pixels lie in memory; padding the whole and cutting afterwards goes through
    # planes and takes 0.21 ms in place of 0.12 between two pictures, for 32 pixels
    # (benchmarks/results/pieces_crop_amd_cpu2_202611.md).
    image_HWC = image_CHW.permute(1, 2, 0).numpy()
    height, width, channels = image_HWC.shape
    first_row, last_row = (min(max(0, row), height) for row in (top, top + size))
    first_column, last_column = (min(max(0, column), width) for column in (left, left + size))
    square_HWC = image_HWC[first_row:last_row, first_column:last_column]
    if square_HWC.shape[:2] != (size, size):
        seen_HWC, square_HWC = square_HWC, np.zeros((size, size, channels), dtype=np.uint8)
        square_HWC[first_row - top : last_row - top, first_column - left : last_column - left] = (
            seen_HWC
        )
    return torch.from_numpy(square_HWC).permute(2, 0, 1)


def require_size(image_CHW: torch.Tensor, size: int, what: str) -> None:
    """Refuse a picture that is smaller than what is cut out of it.

    Raises:
        InvalidDatasetError: It is.
    """
    height, width = image_CHW.shape[-2:]
    if min(height, width) < size:
        raise InvalidDatasetError(
            f"A {what} of {size} pixels does not fit into a picture of {width} x {height}.",
            hint="Put a resize before the crop, or make the crop smaller.",
            reason="crop-too-large",
        )


def random_horizontal_flip(
    op: records.RandomHorizontalFlip, image_CHW: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Mirror left and right, or not."""
    return image_CHW.flip(-1) if draw.happens(op.p) else image_CHW


def random_vertical_flip(
    op: records.RandomVerticalFlip, image_CHW: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Mirror top and bottom, or not."""
    return image_CHW.flip(-2) if draw.happens(op.p) else image_CHW


def random_grayscale(
    op: records.RandomGrayscale, image_CHW: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Remove the colour, or not."""
    return F.rgb_to_grayscale(image_CHW, 3) if draw.happens(op.p) else image_CHW


def color_jitter(op: records.ColorJitter, image_CHW: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Change brightness, contrast, saturation and hue, in a random order."""
    order = draw.order(4)
    changes: list[Callable[[torch.Tensor], torch.Tensor]] = []
    for adjust, middle, most in (
        (F.adjust_brightness, 1.0, op.brightness),
        (F.adjust_contrast, 1.0, op.contrast),
        (F.adjust_saturation, 1.0, op.saturation),
        (F.adjust_hue, 0.0, op.hue),
    ):
        if most == 0:
            changes.append(lambda image_CHW: image_CHW)
            continue
        amount = draw.uniform(middle - most, middle + most)
        changes.append(functools.partial(_adjusted, adjust, amount))
    for place in order:
        image_CHW = changes[place](image_CHW)
    return image_CHW


def _adjusted(
    adjust: Callable[[torch.Tensor, float], torch.Tensor], amount: float, image_CHW: torch.Tensor
) -> torch.Tensor:
    return adjust(image_CHW, amount)


def random_rotation(
    op: records.RandomRotation, image_CHW: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Turn by a random angle."""
    angle = draw.uniform(-op.degrees, op.degrees)
    turned: torch.Tensor = F.rotate(image_CHW, angle, interpolation=BILINEAR, fill=0)
    return turned


def random_affine(op: records.RandomAffine, image_CHW: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Turn, shift, scale and shear by random amounts."""
    height, width = image_CHW.shape[-2:]
    angle = draw.uniform(-op.degrees, op.degrees)
    shift = [0, 0]
    if op.translate:
        shift = [_shift(op.translate * width, draw), _shift(op.translate * height, draw)]
    scale = draw.uniform(op.min_scale, op.max_scale)
    shear = draw.uniform(-op.shear, op.shear) if op.shear else 0.0
    changed: torch.Tensor = F.affine(
        image_CHW,
        angle=angle,
        translate=shift,
        scale=scale,
        shear=[shear, 0.0],
        interpolation=BILINEAR,
        fill=0,
    )
    return changed


def _shift(most: float, draw: Draw) -> int:
    return round(draw.uniform(-most, most))


def random_perspective(
    op: records.RandomPerspective, image_CHW: torch.Tensor, draw: Draw
) -> torch.Tensor:
    """Tilt the picture, or not."""
    if not draw.happens(op.p):
        return image_CHW
    height, width = image_CHW.shape[-2:]
    most_down = int(op.distortion * (height // 2)) + 1
    most_right = int(op.distortion * (width // 2)) + 1
    left, right = (0, most_right), (width - most_right, width)
    top, bottom = (0, most_down), (height - most_down, height)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    changed: torch.Tensor = F.perspective(
        image_CHW,
        startpoints=[[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]],
        endpoints=[[draw.integer(*across), draw.integer(*down)] for across, down in corners],
        interpolation=BILINEAR,
        fill=0,
    )
    return changed


def random_erasing(op: records.RandomErasing, image_CHW: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Black out a random rectangle, or nothing."""
    if not draw.happens(op.p):
        return image_CHW
    height, width = image_CHW.shape[-2:]
    for _ in range(_ATTEMPTS):
        area = height * width * draw.uniform(*_ERASED_SHARES)
        ratio = _drawn_ratio(_ERASED_RATIOS, draw)
        part_height, part_width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if part_height < height and part_width < width:
            top = draw.integer(0, height - part_height + 1)
            left = draw.integer(0, width - part_width + 1)
            erased_CHW = image_CHW.clone()
            erased_CHW[:, top : top + part_height, left : left + part_width] = 0
            return erased_CHW
    return image_CHW


def _drawn_ratio(ratios: tuple[float, float], draw: Draw) -> float:
    """Return a ratio of two sides whose logarithm is equally likely everywhere, in float32."""
    return float32(math.exp(draw.uniform(*_logarithms(ratios))))


@functools.cache
def _logarithms(ratios: tuple[float, float]) -> tuple[float, float]:
    low, high = torch.tensor(ratios).log().tolist()
    return low, high
