"""Scale a picture as torchvision does, from and to memory in which a pixel's channels lie together.

Legend: C channels, H height, W width.
"""

import functools
import platform
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

    Returns:
        uint8; the picture itself where it has that size.
    """
    sides = image_CHW.shape[-2:]
    if size in ([*sides], [min(sides)]):
        return image_CHW
    # By way of HWC the batch gets the stride of a whole picture, by which torch knows the layout.
    batch_1CHW = image_CHW.permute(1, 2, 0).contiguous()[None].permute(0, 3, 1, 2)
    if len(size) == 2 and _torch_scales_uint8():
        # What torchvision would call, after asking again for each picture what is known here; that
        # takes 0.16 ms between two pictures (benchmarks/results/pieces_amd_cpu2_202611.md).
        scaled_1CHW = torch.nn.functional.interpolate(
            batch_1CHW, size, mode="bilinear", antialias=True
        )
    else:
        scaled_1CHW = F.resize(batch_1CHW, size, interpolation=BILINEAR, antialias=True)
    return scaled_1CHW[0]


@functools.cache
def _torch_scales_uint8() -> bool:
    """Whether torch scales 8 bits on this processor; elsewhere torchvision goes by float32."""
    is_arm = platform.machine() in ("aarch64", "arm64")
    return is_arm or torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
