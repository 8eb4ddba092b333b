"""File bytes to RGB pixels: all that knows a decoder, with its neighbours here.

What is read, and how it becomes 8-bit RGB. Content decides, never the file's name:

================================  ==================================================================
In the file                       In the picture
================================  ==================================================================
JPEG, PNG, BMP, PPM, TIFF, WebP   read; any other format is refused by name
grey, 1-bit, palette              the same colours, three channels
16-bit grey                       ``value * 255 // 65535``, which is ``value // 257``, so that black
                                  and white stay what they are. 12-bit TIFF: ``value * 255 // 4095``
16-bit colour, 16-bit grey+alpha  the high byte of each value
alpha, transparent colours        composed on white (255, 255, 255); colours hidden under alpha 0
                                  become white
CMYK, YCCK                        ``(255 - C) * (255 - K) / 255`` and so on. In JPEG all four are
                                  stored inverted, as Adobe's programs do
YCbCr                             converted by the format's own rule
32-bit, signed, floating point    refused: nothing says which value is white
EXIF orientation 2 to 8           applied; 0, 9 and above, and damaged EXIF data count as 1
colour profiles, gamma            not applied
several frames or pages           the first; the number is in ``frames``
JPEG without its end marker       read when no pixel depends on what is missing, else refused
JPEG of which libjpeg warns       refused, where a pixel may be wrong; see ``jpeg_damage.py``
bytes behind a JPEG's end marker  not read; noted
errors of libtiff in a TIFF file  refused; see ``tiff_damage.py``
anything cut short or damaged     refused, as far as the format can tell
================================  ==================================================================

Legend: C channels, H height, W width.
"""

import io
from typing import TYPE_CHECKING, BinaryIO, Final

# Imported here because Pillow would load all of its decoders for a format it has not loaded yet.
from PIL import (
    BmpImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from imageloom.data.decoding.decoded_picture import Picture, PictureFacts, UnreadablePictureError
from imageloom.data.decoding.exif import TURNS, UPRIGHT, orientation_of
from imageloom.data.decoding.foreign import describe_foreign
from imageloom.data.decoding.jpeg import (
    JpegHeader,
    first_rows,
    has_end,
    read_jpeg_header,
    with_end,
)
from imageloom.data.decoding.jpeg_damage import HAS_MORE, LACKS_END, NOT_LOOKED_INTO, look_into
from imageloom.data.decoding.pixel_limits import DEFAULT_MAX_PIXELS, PILLOW_MAX_PIXELS
from imageloom.data.decoding.pixels import ALPHA, WIDE_GREY, rgb_of, turned, white_of
from imageloom.data.decoding.quiet import QuietWarnings
from imageloom.data.decoding.tiff import count_pages
from imageloom.data.decoding.tiff_damage import load_tiff
from imageloom.errors import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

__all__ = [
    "FORMATS",
    "Picture",
    "PictureFacts",
    "UnreadablePictureError",
    "decode_picture",
    "decode_pixels",
    "decode_rgb",
    "examine_picture",
    "look_at_header",
]

# Named by the plugins themselves, so that those are loaded; a test holds it equal to names.FORMATS.
FORMATS: Final = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        BmpImagePlugin.BmpImageFile,
        PpmImagePlugin.PpmImageFile,
        TiffImagePlugin.TiffImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
ALL_TRANSPARENT: Final = "is wholly transparent, so it is all white"
NEARLY_BLACK: Final = "uses under 1/16 of its 16-bit range, so it is nearly black"
_DIRECT: Final = ("1", "L", "P", "RGB", "CMYK", "YCbCr")
_ORIENTATION: Final = 274
_MAX_REASON_CHARS: Final = 160
_MAX_BYTES_TO_NAME: Final = 64 * 1024 * 1024  # of a file that is no picture, to say what it is
_quiet: Final = QuietWarnings()


def decode_picture(content: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Decode a whole file by the rules above.

    Args:
        content: The file.
        max_pixels: Width times height above which the file is refused from its header alone.

    Raises:
        UnreadablePictureError: The file cannot be used.
    """
    with _quiet():
        image, facts = _decode(content, max_pixels)
        try:
            pixels_HWC = rgb_of(image, UPRIGHT if facts.format == "TIFF" else facts.orientation)
        except Exception as problem:
            raise _unreadable(problem, content) from problem
    several = f"has {facts.frames:,} frames; the first is used"
    return Picture(
        pixels_HWC=pixels_HWC,
        format=facts.format,
        orientation=facts.orientation,
        frames=facts.frames,
        notices=(*facts.notices, several) if facts.frames > 1 else facts.notices,
    )


def examine_picture(content: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> PictureFacts:
    """Decode a whole file and return only the facts.

    Refuses exactly what ``decode_picture`` refuses, without NumPy and without converting pixels.

    Raises:
        UnreadablePictureError: The file cannot be used.
    """
    with _quiet():
        _, facts = _decode(content, max_pixels)
    return facts


def look_at_header(file: BinaryIO, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
    """Refuse a file that its header alone shows to be unusable, without decoding any pixel.

    Refuses nothing that ``decode_picture`` takes; whether the rest is whole stays unknown.

    Args:
        file: Open for reading, at its beginning.
        max_pixels: As for ``decode_picture``.

    Raises:
        UnreadablePictureError: The file cannot be used.
    """
    with _quiet():
        try:
            _check_mode(_open(file, max_pixels))
        except UnreadablePictureError:
            raise
        except Exception as problem:
            file.seek(0)
            raise _unreadable(problem, file.read(_MAX_BYTES_TO_NAME)) from problem


def decode_rgb(content: bytes, *, rows: int | None = None) -> "torch.Tensor":
    """Return the pixels of ``decode_picture`` as a tensor, plain JPEG files by the fast way.

    On photos of 500 x 375 pixels simplejpeg takes 1.19 ms, torchvision 1.27 and Pillow 1.80 (one
    core; benchmarks/results/pieces_cpu2_202611.md). All three use libjpeg-turbo, and their pixels
    are equal.

    Args:
        content: A file that was accepted when its image directory was made.
        rows: How many rows are needed, from the top; those below may be missing in what is
            returned.

    Returns:
        uint8 [3, H, W], RGB, 0 to 255, orientation applied; channels last in memory.

    Raises:
        UnreadablePictureError: The file cannot be used.
    """
    import torch

    return torch.from_numpy(decode_pixels(content, rows=rows)).permute(2, 0, 1)


def decode_pixels(content: bytes, *, rows: int | None = None) -> "npt.NDArray[np.uint8]":
    """Do as ``decode_rgb``, without loading torch: return uint8 [H, W, 3]."""
    header = read_jpeg_header(content)
    if header is not None and _is_fast(header, content):
        pixels_HWC = _decode_plain_jpeg(content, header, rows)
        if pixels_HWC is not None:
            return pixels_HWC
    return decode_picture(content, max_pixels=PILLOW_MAX_PIXELS).pixels_HWC


def _is_fast(header: JpegHeader, content: bytes) -> bool:
    pixels = header.width * header.height
    return header.is_plain and 0 < pixels <= PILLOW_MAX_PIXELS and has_end(content, header)


def _decode_plain_jpeg(
    content: bytes, header: JpegHeader, rows: int | None
) -> "npt.NDArray[np.uint8] | None":
    """Return the pixels, or None where Pillow shall read the file or say what is wrong."""
    import simplejpeg

    if rows is not None and header.orientation == UPRIGHT:
        content = first_rows(content, header, rows)
    try:
        # Not strict: warnings were looked into before, and files of few rows leave codes over.
        pixels_HWC: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(content, "RGB", strict=False)
    except ValueError:
        return None
    return turned(pixels_HWC, header.orientation)


def _decode(content: bytes, max_pixels: int) -> tuple[Image.Image, PictureFacts]:
    """Return the first frame as stored (TIFF: turned already), and its facts.

    Nothing is wrong with its pixels; but those of a JPEG file are not yet computed.
    """
    try:
        image = _open(io.BytesIO(content), max_pixels)
        _check_mode(image)
        orientation = _orientation(image)
        header = read_jpeg_header(content)
        if header is None:
            notices = _load(image)
        else:
            notices = look_into(content, header)
            if LACKS_END in notices:
                image = _open(io.BytesIO(with_end(content, header)), max_pixels)
            if not set(notices).isdisjoint(NOT_LOOKED_INTO):
                image.load()
        frames = _count_frames(image, content)
    except UnreadablePictureError:
        raise
    except Exception as problem:
        raise _unreadable(problem, content) from problem
    width, height = image.size
    # Pillow turns TIFF pictures itself when it loads them.
    if TURNS[orientation].transpose and image.format != "TIFF":
        width, height = height, width
    if frames > 1:  # they are what stands behind the end of the first
        notices = tuple(notice for notice in notices if notice != HAS_MORE)
    file_format = "JPEG" if image.format == "MPO" else str(image.format)
    return image, PictureFacts(width, height, file_format, orientation, frames, notices)


def _open(file: BinaryIO, max_pixels: int) -> Image.Image:
    image = Image.open(file, formats=FORMATS)
    width, height = image.size
    if width < 1 or height < 1:
        raise UnreadablePictureError(
            "has no pixels", f"Its header says {width} x {height}. Remove it."
        )
    if width * height > max_pixels:
        raise _too_large(f"Its header says {width:,} x {height:,}. ", max_pixels)
    return image


def _too_large(size: str, max_pixels: int) -> UnreadablePictureError:
    return UnreadablePictureError(
        f"has more pixels than the limit of {max_pixels:,}",
        f"{size}Make it smaller, or raise max_pixels (at most {PILLOW_MAX_PIXELS:,}).",
    )


def _check_mode(image: Image.Image) -> None:
    mode = image.mode
    if mode in (*WIDE_GREY, *_DIRECT, *ALPHA) or (mode == "I" and image.format == "PPM"):
        return
    names = {"F": "floating point", "I": "32-bit or signed", "LAB": "L*a*b* colours"}
    raise UnreadablePictureError(
        f"has an unsupported sample format: {names.get(mode, mode)}",
        "Nothing says which value is white. Save it with 8 or 16 bits per sample.",
    )


def _orientation(image: Image.Image) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        value = image.tag_v2.get(_ORIENTATION, UPRIGHT)
        return value if value in TURNS else UPRIGHT
    exif = image.info.get("exif")
    return orientation_of(exif) if isinstance(exif, bytes) else UPRIGHT


def _load(image: Image.Image) -> tuple[str, ...]:
    """Decode all pixels of the first frame and return what is notable about them."""
    notices: tuple[str, ...] = ()
    if image.format == "TIFF":
        notices = load_tiff(image)
    else:
        image.load()
    if image.mode in WIDE_GREY or image.mode == "I":
        _, highest = image.getextrema()
        if isinstance(highest, int | float) and 0 < highest < white_of(image) // 16:
            return (*notices, NEARLY_BLACK)
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (0, 0):
        return (*notices, ALL_TRANSPARENT)
    return notices


def _count_frames(image: Image.Image, content: bytes) -> int:
    if image.format == "TIFF":
        return count_pages(content)
    return int(getattr(image, "n_frames", 1))


def _unreadable(problem: Exception, content: bytes) -> UnreadablePictureError:
    """Return what a decoder's exception means; decoders raise nearly every kind there is."""
    if isinstance(problem, UnidentifiedImageError):
        return UnreadablePictureError(*describe_foreign(content))
    if isinstance(problem, Image.DecompressionBombError):
        return _too_large("", PILLOW_MAX_PIXELS)
    if isinstance(problem, MemoryError):
        return UnreadablePictureError(
            "needs more memory to decode than there is", "Make the picture smaller."
        )
    text = printable(str(problem)).strip() or type(problem).__name__
    return UnreadablePictureError(
        f"cannot be decoded: {text[:_MAX_REASON_CHARS]}",
        "The file is damaged or cut short. Restore it from its source.",
    )
