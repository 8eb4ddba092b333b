"""What the markers of a JPEG file say, without decoding it.

Source: ITU-T T.81 (JPEG), annex B, for the markers; annex G for progressive scans.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from imageloom.data.exif import UPRIGHT, orientation_of

END: Final = b"\xff\xd9"
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_EXIF_SEGMENT: Final = 0xE1
_SEQUENTIAL: Final = (0xC0, 0xC1)
_PROGRESSIVE: Final = 0xC2
# All start-of-frame markers: 0xC0 to 0xCF without the Huffman table, JPG and arithmetic table.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Inside a scan 0xFF is followed by 0x00 (a data byte) or a restart number; else it is a marker.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_COEFFICIENTS: Final = 64


class _Segment(NamedTuple):
    marker: int
    start: int  # of the payload, after the length
    end: int


@dataclass(frozen=True)
class JpegHeader:
    """The frame header and what stands before the first scan.

    Attributes:
        width: Pixels as stored, before orientation.
        height: Pixels as stored, before orientation.
        components: 1 for grey, 3 for colour, 4 for CMYK and YCCK.
        bits: Bits per sample.
        is_huffman: Baseline, extended sequential or progressive, with Huffman codes; not
            arithmetic, lossless or hierarchical.
        orientation: EXIF, 1 to 8.
        scan_start: Where the first scan begins in the file.
    """

    width: int
    height: int
    components: int
    bits: int
    is_huffman: bool
    orientation: int
    scan_start: int

    @property
    def is_plain(self) -> bool:
        """Whether every JPEG decoder reads it alike: 8 bits, grey or three components."""
        return self.is_huffman and self.bits == 8 and self.components in (1, 3)


def read_jpeg_header(content: bytes) -> JpegHeader | None:
    """Return the header, or None for what is not a JPEG file of the usual build."""
    frame: tuple[int, int, int, int] | None = None
    is_huffman = False
    exif = b""
    try:
        for segment in _segments(content):
            if segment.marker in _FRAMES:
                frame = struct.unpack_from(">BHHB", content, segment.start)
                is_huffman = segment.marker in (*_SEQUENTIAL, _PROGRESSIVE)
            elif segment.marker == _EXIF_SEGMENT:
                payload = content[segment.start : segment.end]
                if payload.startswith(b"Exif\0\0"):
                    exif += payload[6:]
            elif segment.marker == _START_OF_SCAN:
                break
        else:
            return None
    except struct.error:
        return None
    if frame is None:
        return None
    bits, height, width, components = frame
    return JpegHeader(
        width=width,
        height=height,
        components=components,
        bits=bits,
        is_huffman=is_huffman,
        orientation=orientation_of(exif) if exif else UPRIGHT,
        scan_start=segment.start,
    )


def has_end(content: bytes, header: JpegHeader) -> bool:
    """Whether an end marker stands behind the first scan; it cannot occur inside a scan."""
    return content.rfind(END, header.scan_start) >= 0


def has_all_scans(content: bytes) -> bool:
    """Whether the scans that are there carry every coefficient to its last bit.

    A progressive file that stops between two scans decodes without complaint to a blurred
    picture; this tells it from a whole one. Whether the last scan itself is whole is not seen.
    """
    missing: dict[int, list[int]] = {}  # component -> for each coefficient, bits still to come
    sequential = False
    try:
        for segment in _segments(content):
            if segment.marker in _FRAMES:
                sequential = segment.marker in _SEQUENTIAL
                missing = {name: [1] * _COEFFICIENTS for name in _component_names(content, segment)}
            elif segment.marker == _START_OF_SCAN:
                _note_scan(missing, content[segment.start : segment.end], sequential)
    except (struct.error, IndexError, KeyError):
        return False
    return bool(missing) and not any(any(bits) for bits in missing.values())


def _component_names(content: bytes, frame: _Segment) -> list[int]:
    count = content[frame.start + 5]
    return [content[frame.start + 6 + 3 * number] for number in range(count)]


def _note_scan(missing: dict[int, list[int]], scan: bytes, sequential: bool) -> None:
    count = scan[0]
    first, last, shifts = scan[1 + 2 * count : 4 + 2 * count]
    if sequential:  # these fields have no meaning there, and some writers leave them 0
        first, last, shifts = 0, _COEFFICIENTS - 1, 0
    for number in range(count):
        bits = missing[scan[1 + 2 * number]]
        for coefficient in range(first, last + 1):
            bits[coefficient] = shifts & 0x0F


def _segments(content: bytes) -> Iterator[_Segment]:
    """Yield the segments up to the end marker or the end of the data.

    Raises:
        struct.error: The data end inside a segment header, or no marker stands where one must.
    """
    place = 2
    while place < len(content):
        if content[place] != 0xFF:
            raise struct.error("no marker")
        while content[place : place + 1] == b"\xff":
            place += 1
        if place >= len(content) or content[place] == _END_OF_IMAGE:
            return
        marker = content[place]
        (length,) = struct.unpack_from(">H", content, place + 1)
        segment = _Segment(marker, place + 3, place + 1 + length)
        yield segment
        place = segment.end
        if marker == _START_OF_SCAN:
            found = _NEXT_MARKER.search(content, place)
            place = len(content) if found is None else found.start()
