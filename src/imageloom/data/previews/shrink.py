"""A picture made small: decoded as for training and encoded again, never passed through."""

import io
from typing import Final

from PIL import Image

from imageloom.data.decoding.decode import decode_picture

_TINY: Final = 64  # JPEG would smear the few pixels that there are
_QUALITY: Final = 85


def shrink(content: bytes, size: int) -> bytes:
    """Return a JPEG file whose longest side has at most ``size`` pixels, turned as EXIF says.

    Nothing but pixels is taken over: no comment, place or profile of the file.

    Args:
        content: A file of a stranger.
        size: Pixels; a smaller picture keeps its size.

    Raises:
        UnreadablePictureError: The file cannot be used.
    """
    image = Image.fromarray(decode_picture(content).pixels_HWC)
    image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    if max(image.size) <= _TINY:
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
