"""A picture as 9 x 8 grey pixels: what two pictures are compared by.

Legend: N pictures, H height, W width, C channels.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

WIDTH: Final = 9
HEIGHT: Final = 8
NUM_BYTES: Final = WIDTH * HEIGHT

FLAT_RANGE: Final = 8
"""Grey levels. A miniature with fewer between its darkest and brightest pixel shows nothing."""


def miniature_of(pixels_HWC: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture's miniature, row by row from the top.

    Args:
        pixels_HWC: uint8, RGB, 0 to 255.

    Returns:
        ``NUM_BYTES`` grey values, 0 to 255.

    Source:
        The steps of ``imagehash.dhash`` before it compares: ITU-R 601-2 luma and a Lanczos filter,
        both of Pillow.
    """
    grey = Image.fromarray(pixels_HWC).convert("L")
    return grey.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).tobytes()


def difference_hashes(miniatures_NHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return for each miniature 64 bits: whether each pixel is brighter than its left neighbour.

    Args:
        miniatures_NHW: uint8 [N, 8, 9].

    Returns:
        uint64 [N], the first bit of the top row highest.

    Source:
        N. Krawetz, Kind of Like That (2013), https://www.hackerfactor.com/blog/?/archives/529.
    """
    brighter = miniatures_NHW[:, :, 1:] > miniatures_NHW[:, :, :-1]
    packed = np.packbits(brighter.reshape(len(brighter), HEIGHT * (WIDTH - 1)), axis=1)
    hashes_N: npt.NDArray[np.uint64] = packed.view(">u8").ravel().astype(np.uint64)
    return hashes_N


def are_flat(miniatures_NHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return which miniatures show nothing that could be compared, bool [N]."""
    rows = miniatures_NHW.reshape(len(miniatures_NHW), NUM_BYTES).astype(np.int16)
    flat_N: npt.NDArray[np.bool_] = np.ptp(rows, axis=1) < FLAT_RANGE
    return flat_N


def brightness_of(miniatures_NHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the mean grey value of each miniature, float32 [N], 0 to 255."""
    brightness_N: npt.NDArray[np.float32] = miniatures_NHW.reshape(
        len(miniatures_NHW), NUM_BYTES
    ).mean(axis=1, dtype=np.float32)
    return brightness_N
