"""Whether all pixels of a JPEG file are there, and what to say of one where they are not.

What libjpeg warns of, and what it means:

====================================================  ==============================================
libjpeg's words                                       What becomes of the file
====================================================  ==============================================
premature end of data segment                         refused: codes are missing, grey fills up
N extraneous bytes before marker, behind a first scan  refused: codes were left over
bad Huffman code, bad arithmetic code                 refused: a code means nothing
found marker X instead of RSTn                        refused: codes are missing or out of place
Inconsistent progression sequence                     refused: a scan is missing or stands twice
anything that is not in this table                    refused, in libjpeg's words
N extraneous bytes before marker, before all scans    nothing: no pixel is coded there
unknown JFIF revision number                          nothing: no pixel depends on it
Invalid SOS parameters for sequential JPEG            nothing: these fields have no meaning there
Unknown Adobe color transform code                    noted: which colours are meant is a guess
====================================================  ==============================================

A changed byte whose codes all mean something, and as many as there must be, is not seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from PIL import Image

from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.data.decoding.jpeg import (
    END,
    SKELETON_SIZE,
    JpegHeader,
    Segment,
    bytes_behind,
    codes_end,
    has_all_scans,
    has_end,
    has_only_known_markers,
    skeleton,
    until_last_scan,
)
from imageloom.data.decoding.libjpeg import jpeg_warnings
from imageloom.errors import printable

LACKS_END: Final = "lacks only its end marker; all pixels are there"
HAS_MORE: Final = "has bytes behind its end marker, which are not read"
COLOURS_GUESSED: Final = (
    "names a colour transform that nobody knows; it is read as YCbCr or YCCK, as most programs do"
)
LOSSLESS: Final = "is a lossless JPEG file, in which damage cannot be seen"
NO_LIBJPEG: Final = "was not looked into for damage, because Pillow's libjpeg is out of reach"
NOT_LOOKED_INTO: Final = (LOSSLESS, NO_LIBJPEG)
_MODES: Final = {1: "L", 3: "RGB", 4: "CMYK"}
_EXTRANEOUS: Final = "extraneous bytes before marker"
_HARMLESS: Final = {
    "unknown JFIF revision number": "",
    "Invalid SOS parameters for sequential": "",
    "Unknown Adobe color transform": COLOURS_GUESSED,
}
_DAMAGE: Final = {
    "premature end of data segment": "its picture data end too early",
    _EXTRANEOUS: "bytes are left over in its picture data",
    "bad Huffman code": "its picture data hold a code that means nothing",
    "bad arithmetic code": "its picture data hold a code that means nothing",
    "instead of RST": "a part of its picture data is missing or out of place",
    "Inconsistent progression sequence": "one of its scans is missing or stands twice",
}


def look_into(content: bytes, header: JpegHeader) -> tuple[str, ...]:
    """Refuse a JPEG file of which some pixels are missing or wrong, as far as can be known.

    Returns:
        What is notable about it, as rests of sentences; one of ``NOT_LOOKED_INTO`` where the
        pixels themselves must be decoded to know more.

    Raises:
        UnreadablePictureError: It is damaged or cut short.
    """
    segments = until_last_scan(content, header)
    _refuse_markers(skeleton(content, segments), _MODES[header.components])
    end = codes_end(content, segments[-1])
    # The end marker may be missing, and what stands behind the last scan may stop libjpeg.
    needed = content[:end] + END
    if has_end(content, header):
        notices = _refuse_damage(needed, header, segments)
        return (*notices, HAS_MORE) if bytes_behind(content, end) else notices
    try:
        notices = _refuse_damage(needed, header, segments)
    except UnreadablePictureError as problem:
        raise _cut_short() from problem
    if not set(notices).isdisjoint(NOT_LOOKED_INTO):
        raise _cut_short()
    return (*notices, LACKS_END)


def _refuse_markers(content: bytes, mode: str) -> None:
    """Refuse markers that Pillow cannot read; libjpeg, asked directly, would end the process."""
    try:
        Image.frombytes(mode, SKELETON_SIZE, content, "jpeg", mode, "")
    except ValueError as problem:
        raise _damaged("its tables or other markers make no sense") from problem


def _refuse_damage(
    content: bytes, header: JpegHeader, segments: Sequence[Segment]
) -> tuple[str, ...]:
    if header.is_lossless:
        return (LOSSLESS,)
    if not has_only_known_markers(segments):
        raise _damaged("it holds a marker that no JPEG file has")
    if not (header.has_one_scan or has_all_scans(content, segments)):
        raise _damaged("some of its scans are missing, which leaves a blurred picture")
    warnings = jpeg_warnings(content)
    if warnings is None:
        return (NO_LIBJPEG,)
    of_header = (text for text in warnings.header if _EXTRANEOUS not in text)
    return tuple(sorted({*_notices(of_header), *_notices(warnings.scans)}))


def _notices(warnings: Iterable[str]) -> Iterator[str]:
    """Yield what harmless warnings are worth saying.

    Raises:
        UnreadablePictureError: One is not harmless.
    """
    for text in warnings:
        notice = next((notice for words, notice in _HARMLESS.items() if words in text), None)
        if notice is None:
            meaning = next((what for words, what in _DAMAGE.items() if words in text), "")
            raise _damaged(meaning or f"libjpeg says of it: {printable(text)}")
        if notice:
            yield notice


def _damaged(what: str) -> UnreadablePictureError:
    return UnreadablePictureError(
        f"is damaged: {what}", "Restore the file from its source; if it looks right, save it anew."
    )


def _cut_short() -> UnreadablePictureError:
    return UnreadablePictureError(
        "is cut short: its last pixels are missing", "Restore the file from its source."
    )
