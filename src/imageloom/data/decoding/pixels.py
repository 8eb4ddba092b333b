"""The samples of a picture that Pillow has loaded, as 8-bit RGB; the rules stand in ``decode.py``.

Legend: C channels, H height, W width.
"""

from typing import TYPE_CHECKING, Final

from PIL import Image, TiffImagePlugin

from imageloom.data.decoding.exif import TURNS, UPRIGHT

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BACKGROUND: Final = (255, 255, 255)
WIDE_GREY: Final = ("I;16", "I;16B", "I;16L", "I;16N")
ALPHA: Final = ("LA", "PA", "La", "RGBA", "RGBa")
_BITS_PER_SAMPLE: Final = 258  # TIFF 6.0, section 8
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0


def rgb_of(image: Image.Image, orientation: int) -> "npt.NDArray[np.uint8]":
    """Return the pixels, uint8 [H, W, 3], owned by the caller.

    Args:
        image: A loaded picture of a mode that ``decode.py`` accepts.
        orientation: EXIF, 1 to 8, to apply.
    """
    return turned(_stored(image), orientation)


def turned(stored_HWC: "npt.NDArray[np.uint8]", orientation: int) -> "npt.NDArray[np.uint8]":
    """Return pixels as meant from pixels as stored; the same array where they are equal.

    Args:
        stored_HWC: uint8 [H, W, 3].
        orientation: EXIF, 1 to 8.
    """
    if orientation == UPRIGHT:
        return stored_HWC
    turn = TURNS[orientation]
    turned_HWC = stored_HWC.swapaxes(0, 1) if turn.transpose else stored_HWC
    turned_HWC = turned_HWC[::-1] if turn.flip_rows else turned_HWC
    turned_HWC = turned_HWC[:, ::-1] if turn.flip_columns else turned_HWC
    return turned_HWC.copy()


def white_of(image: Image.Image) -> int:
    """Return the value of white in a picture with more than 8 bits."""
    bits = 16
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = int(image.tag_v2.get(_BITS_PER_SAMPLE, (bits,))[0])
    return (1 << bits) - 1


def _stored(image: Image.Image) -> "npt.NDArray[np.uint8]":
    """Return the pixels as stored, uint8 [H, W, 3]."""
    import numpy as np

    if image.mode in WIDE_GREY or image.mode == "I":
        return _narrowed(image)
    if image.mode in ALPHA or "transparency" in image.info:
        # La and RGBa hold colours multiplied by alpha; each converts only to its own kind.
        straight = image.convert("LA") if image.mode == "La" else image
        coloured = straight.convert("RGBA")
        canvas = Image.new("RGB", image.size, BACKGROUND)
        canvas.paste(coloured, mask=coloured.getchannel("A"))
        return np.array(canvas)
    return np.array(image.convert("RGB"))


def _narrowed(image: Image.Image) -> "npt.NDArray[np.uint8]":
    import numpy as np

    white = white_of(image)
    wide_HW = np.asarray(image).astype(np.uint32)
    clear = image.info.get("transparency")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # Pillow inverts only up to 8 bits
            wide_HW = white - wide_HW
    elif isinstance(clear, int):
        wide_HW = np.where(wide_HW == clear, np.uint32(white), wide_HW)
    grey_HW = (wide_HW * 255 // white).astype(np.uint8)
    return np.repeat(grey_HW[:, :, None], 3, axis=2)
