"""A map of where a class is found, in colours, as PNG files.

Legend: H height, W width.
"""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

# From dark violet over red to light yellow: brighter is more also in grey and to colour-blind eyes.
_STOPS: Final = np.array(
    [[40, 11, 84], [137, 34, 106], [212, 72, 66], [248, 142, 20], [252, 230, 120]], dtype=np.float64
)
_COVER: Final = 0.6
"""How much of a picture the hottest place of an overlay hides."""

_Map = npt.NDArray[np.float32]


def heat_png(map_HW: _Map) -> bytes:
    """Return a PNG with transparency: what is cold is clear, what is hot covers.

    Args:
        map_HW: 0 to 1.
    """
    colours = np.concatenate([_colours(map_HW), _bytes(map_HW * 255)[..., None]], axis=2)
    return _png(colours)


def overlay_png(picture_HW3: npt.NDArray[np.uint8], map_HW: _Map) -> bytes:
    """Return a picture with the map over it as a PNG.

    Args:
        picture_HW3: RGB.
        map_HW: 0 to 1, as large.
    """
    cover_HW1 = (map_HW * _COVER)[..., None]
    return _png(_bytes(picture_HW3 * (1 - cover_HW1) + _colours(map_HW) * cover_HW1))


def picture_png(picture_HW3: npt.NDArray[np.uint8]) -> bytes:
    """Return RGB pixels as a PNG."""
    return _png(picture_HW3)


def _colours(map_HW: _Map) -> npt.NDArray[np.uint8]:
    places = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(map_HW, places, _STOPS[:, channel]) for channel in range(3)]
    return _bytes(np.stack(channels, axis=-1))


def _bytes(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    whole: npt.NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return whole


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
