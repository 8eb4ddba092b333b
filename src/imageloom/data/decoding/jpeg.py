"""What the markers of a JPEG file say, without decoding it.

Source: ITU-T T.81 (JPEG), annex B, for the markers; annex G for progressive scans.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from imageloom.data.decoding.exif import UPRIGHT, orientation_of

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_JFIF_SEGMENT: Final = 0xE0
_EXIF_SEGMENT: Final = 0xE1
_ADOBE_SEGMENT: Final = 0xEE
_SEQUENTIAL: Final = (0xC0, 0xC1)
_PROGRESSIVE: Final = 0xC2
_PROGRESSIVES: Final = (0xC2, 0xCA)  # with Huffman and with arithmetic codes
_LOSSLESS: Final = (0xC3, 0xC7, 0xCB, 0xCF)
# All start-of-frame markers: 0xC0 to 0xCF without the Huffman table, JPG and arithmetic table.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APPLICATIONS: Final = (*range(0xE0, 0xF0), 0xFE)  # and comments
_LOWEST: Final = 0xC0  # those below are reserved, or of no file
# Inside a scan 0xFF is followed by 0x00 (a data byte) or a restart number; else it is a marker.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_LONGEST_SIDE: Final = 65_500  # JPEG_MAX_DIMENSION of libjpeg's jmorecfg.h
SKELETON_SIZE: Final = (8, 8)
_SMALL_SIZE: Final = struct.pack(">HH", *SKELETON_SIZE)
_HIGHEST_BLOCKS: Final = 32  # rows of pixels: 8, times a sampling factor of 1 to 4
_FRAME: Final = struct.Struct(">BHHB")
_COEFFICIENTS: Final = 64
_SEQUENTIAL_LIMITS: Final = bytes([0, _COEFFICIENTS - 1, 0])  # all coefficients, all bits


class Segment(NamedTuple):
    """One marker and what belongs to it.

    Attributes:
        marker: The byte behind 0xFF.
        place: Where that 0xFF stands.
        start: Where its payload begins, behind the length.
        end: Where its payload ends; that of a scan's header, not of the scan's codes.
    """

    marker: int
    place: int
    start: int
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
        is_lossless: Coded without frequencies.
        has_one_scan: Its first scan brings all of all components.
        is_usual: Nothing in it makes libjpeg warn.
        orientation: EXIF, 1 to 8.
        segments: All up to the header of the first scan.
    """

    width: int
    height: int
    components: int
    bits: int
    is_huffman: bool
    is_lossless: bool
    has_one_scan: bool
    is_usual: bool
    orientation: int
    segments: tuple[Segment, ...]

    @property
    def is_plain(self) -> bool:
        """Whether every JPEG decoder reads it alike: 8 bits, grey or three components."""
        return self.is_huffman and self.is_usual and self.bits == 8 and self.components in (1, 3)


def read_jpeg_header(content: bytes) -> JpegHeader | None:
    """Return the header, or None for what is not a JPEG file of the usual build."""
    frame: tuple[int, int, int, int] | None = None
    frame_marker = 0
    is_usual = True
    expected = len(START)
    exif = b""
    payload = b""
    segments: list[Segment] = []
    for segment in _segments(content):
        segments.append(segment)
        payload = content[segment.start : segment.end]
        is_usual = is_usual and segment.place == expected and _is_usual(segment.marker, payload)
        expected = segment.end
        if segment.marker in _FRAMES and len(payload) >= _FRAME.size:
            frame = _FRAME.unpack_from(payload)
            frame_marker = segment.marker
        elif segment.marker == _EXIF_SEGMENT and payload.startswith(b"Exif\0\0"):
            exif += payload[6:]
        elif segment.marker == _START_OF_SCAN:
            break
    else:
        return None
    if frame is None:
        return None
    bits, height, width, components = frame
    is_sequential = frame_marker in _SEQUENTIAL
    has_one_scan = frame_marker not in _PROGRESSIVES and payload[:1] == bytes([components])
    if is_sequential:  # further scans are not looked at here
        is_usual = is_usual and has_one_scan and payload.endswith(_SEQUENTIAL_LIMITS)
    return JpegHeader(
        width=width,
        height=height,
        components=components,
        bits=bits,
        is_huffman=is_sequential or frame_marker == _PROGRESSIVE,
        is_lossless=frame_marker in _LOSSLESS,
        has_one_scan=has_one_scan,
        is_usual=is_usual,
        orientation=orientation_of(exif) if exif else UPRIGHT,
        segments=tuple(segments),
    )


def _is_usual(marker: int, payload: bytes) -> bool:
    """Whether libjpeg has nothing to say about a segment before the first scan."""
    if marker == _JFIF_SEGMENT and payload.startswith(b"JFIF\0"):
        return payload[5:6] == b"\x01"  # the major version
    if marker == _ADOBE_SEGMENT and payload.startswith(b"Adobe"):
        return payload[11:12] in (b"\x00", b"\x01")  # the colour transform, of three components
    return True


def has_end(content: bytes, header: JpegHeader) -> bool:
    """Whether an end marker stands behind the first scan; it cannot occur inside a scan."""
    return content.rfind(END, header.segments[-1].start) >= 0


def with_end(content: bytes, header: JpegHeader) -> bytes:
    """Return a file with an end marker: the same object where it has one."""
    return content if has_end(content, header) else content.rstrip(b"\xff") + END


def first_rows(content: bytes, header: JpegHeader, rows: int) -> bytes:
    """Return a file of the first rows alone, and a few more: the codes behind them are not read.

    The pixels of these rows are those of the whole file. Below them is one more row of blocks,
    because colours that are stored with fewer pixels are smoothed into the row above.

    Args:
        content: The file.
        header: Its header.
        rows: How many are needed.
    """
    rows += _HIGHEST_BLOCKS + 1
    if rows >= header.height:
        return content
    frame = next(segment for segment in header.segments if segment.marker in _FRAMES)
    height = frame.start + 1  # behind the bits per sample
    return b"".join((content[:height], struct.pack(">H", rows), content[height + 2 :]))


def has_all_scans(content: bytes, segments: Iterable[Segment]) -> bool:
    """Whether the scans that are there carry every coefficient to its last bit.

    A progressive file that stops between two scans decodes without complaint to a blurred
    picture; this tells it from a whole one. Whether the scans themselves are whole is not seen.
    """
    missing: dict[int, list[int]] = {}  # component -> for each coefficient, bits still to come
    sequential = False
    try:
        for segment in segments:
            if segment.marker in _FRAMES:
                sequential = segment.marker in _SEQUENTIAL
                missing = {name: [1] * _COEFFICIENTS for name in _component_names(content, segment)}
            elif segment.marker == _START_OF_SCAN:
                _note_scan(missing, content[segment.start : segment.end], sequential)
    except (IndexError, KeyError, ValueError):
        return False
    return bool(missing) and not any(any(bits) for bits in missing.values())


def has_only_known_markers(segments: Iterable[Segment]) -> bool:
    """Whether every marker is one that files have."""
    return all(segment.marker >= _LOWEST for segment in segments)


def until_last_scan(content: bytes, header: JpegHeader) -> tuple[Segment, ...]:
    """Return the segments that pixels depend on: up to the header of the last scan.

    Where the first scan has all components, it is the last: what follows replaces nothing.
    """
    if header.has_one_scan:
        return header.segments
    segments = tuple(_segments(content))
    scans = [row for row, one in enumerate(segments) if one.marker == _START_OF_SCAN]
    return segments[: scans[-1] + 1]


def codes_end(content: bytes, scan: Segment) -> int:
    """Return where the codes of a scan end: at the next marker, or with the file."""
    found = _NEXT_MARKER.search(content, scan.end)
    return len(content) if found is None else found.start()


def bytes_behind(content: bytes, place: int) -> int:
    """Return how many bytes stand behind the end marker, of which none is before ``place``."""
    if not content.startswith(END, place):
        for segment in _segments(content, place):
            place = segment.end
        place = codes_end(content, Segment(0, place, place, place))
    return max(0, len(content) - place - len(END))


def skeleton(content: bytes, segments: Iterable[Segment]) -> bytes:
    """Return a JPEG file of these segments, 8 pixels wide and high and without codes.

    A decoder that can read its markers can read those of ``content``, which come in the same order.
    Sides that are too long for libjpeg stay as they are.
    """
    parts = [START]
    for marker, place, start, end in segments:
        if marker in _FRAMES:
            parts += [content[place : start + 1], _small(content[start + 1 : start + 5])]
            parts += [content[start + 5 : end]]
        elif marker not in _APPLICATIONS or marker in (_JFIF_SEGMENT, _ADOBE_SEGMENT):
            parts += [content[place:end]]
    return b"".join((*parts, END))


def _small(height_and_width: bytes) -> bytes:
    sides = struct.unpack(">HH", height_and_width)
    return height_and_width if max(sides) > _LONGEST_SIDE else _SMALL_SIZE


def _component_names(content: bytes, frame: Segment) -> list[int]:
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


def _segments(content: bytes, place: int = len(START)) -> Iterator[Segment]:
    """Yield the segments from ``place`` up to the end marker or the end of the data.

    What stands between a segment and the next marker is passed over, as libjpeg does.
    """
    end = place if content.startswith(START) else len(content)
    while (found := _NEXT_MARKER.search(content, end)) is not None:
        place, start = found.span()
        marker = content[place + 1]
        if marker == _END_OF_IMAGE or start + 2 > len(content):
            return
        end = start + max(2, content[start] << 8 | content[start + 1])
        yield Segment(marker, place, start + 2, end)
