"""Scale a picture with torchvision, from and to memory in which a pixel's channels lie together.

Legend: C channels, H height, W width.
"""

from typing import Final

import torch

from imageloom.data.loading.pixel_functions import F, InterpolationMode

BILINEAR: Final = InterpolationMode.BILINEAR


def resized(image_CHW: torch.Tensor, size: list[int]) -> torch.Tensor:
    """Return the picture in another size, antialiased.

    The pixels are those of ``torchvision.transforms.v2.functional.resize``. A part of a decoded
    picture is neither planes nor whole rows, and torch would take it apart into planes and leave
    it so: 300 x 280 pixels to 224 take 0.20 ms this way, 0.34 that way, on one core
    (benchmarks/results/pieces_cpu2_202611.md).

    Args:
        image_CHW: uint8.
        size: Height and width, or one number for the shorter side.
    """
    batch_1CHW = image_CHW[None].contiguous(memory_format=torch.channels_last)
    scaled_1CHW: torch.Tensor = F.resize(batch_1CHW, size, interpolation=BILINEAR, antialias=True)
    return scaled_1CHW[0]
