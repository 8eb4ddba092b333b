"""Read zip files, entry by entry in constant memory, believing nothing that can be checked.

Python's zipfile keeps an object for every entry (1 KB each) and, before Python 3.11.8, reads
overlapping entries. This reader knows what pictures are packed with, and names what else it meets.

Source: PKWARE APPNOTE.TXT 6.3.10; sections are named below.
"""

import stat
import struct
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from imageloom.data.params import NameEncoding
from imageloom.data.sources.archive.limits import ArchiveLimits
from imageloom.data.sources.archive.member import (
    CHUNK_BYTES,
    ArchiveMember,
    damaged,
    odd_member,
    refused,
)
from imageloom.data.sources.archive.member_names import safe_member_path
from imageloom.data.sources.archive.name_encoding import as_utf_8, is_utf_8

STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # usual, empty, in several parts
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")  # section 4.3.12
_LOCAL: Final = struct.Struct("<4s5H3L2H")  # section 4.3.7
_END: Final = struct.Struct("<4s4H2LH")  # section 4.3.16
_END_64: Final = struct.Struct("<4sQ2H2L4Q")  # section 4.3.14
_LOCATOR_64: Final = struct.Struct("<4sLQL")  # section 4.3.15
_STORED, _DEFLATED = 0, 8  # section 4.4.5
_METHODS: Final = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000  # section 4.4.4
_UTF_8: Final = 0x0800
_FULL_16: Final = 0xFFFF
_FULL_32: Final = 0xFFFFFFFF
_UNIX: Final = (3, 19)  # section 4.4.2: systems whose attributes hold a Unix mode
_EXTRA_ZIP_64: Final = 0x0001
_EXTRA_UNICODE_PATH: Final = 0x7075
_MAX_END_BYTES: Final = _END.size + 65_535  # with the longest comment


class _Entry(NamedTuple):
    raw: bytes
    member: ArchiveMember
    method: int
    crc: int
    packed: int
    offset: int


class _Directory(NamedTuple):
    start: int
    size: int
    entries: int


def holds_zip(file: BinaryIO) -> bool:
    """Whether a file ends as a zip file does, whatever stands in front."""
    file.seek(max(0, file.seek(0, 2) - _MAX_END_BYTES))
    return b"PK\x05\x06" in file.read()


class ZipReader:
    """The members of one zip file.

    Args:
        file: Open for reading and seeking.
        archive: Its path, for messages.
        limits: Counts members and bytes.
        name_encoding: Of names that do not say theirs, or None to guess.
        has_stub: Whether a program stands in front, as in archives that unpack themselves. It is
            skipped; places in the file may count from its end.
    """

    guess: Final = "were read as cp437, as programs did before UTF-8"

    def __init__(
        self,
        file: BinaryIO,
        archive: Path,
        limits: ArchiveLimits,
        *,
        name_encoding: NameEncoding | None = None,
        has_stub: bool = False,
    ) -> None:
        self._file = file
        self._archive = archive
        self._limits = limits
        self._name_encoding = name_encoding
        self.has_stub = has_stub
        self._shift = 0  # bytes in front from which the archive's own places do not count
        self._directory = self._find_directory()

    def members(self) -> Iterator[ArchiveMember]:
        """Yield every member, from the headers alone.

        Raises:
            InvalidDatasetError: A member is unsafe, encrypted or packed in an unknown way, or the
                file is damaged, or two members share bytes.
        """
        starts, ends = array("Q"), array("Q")
        for entry in self._entries():
            starts.append(entry.offset)
            ends.append(entry.offset + _LOCAL.size + len(entry.raw) + entry.packed)
            yield entry.member
        self._refuse_overlaps(np.array(starts, np.uint64), np.array(ends, np.uint64))

    def contents(self) -> Iterator[tuple[ArchiveMember, Iterator[bytes]]]:
        """Yield every member with its content in pieces."""
        for entry in self._entries():
            yield entry.member, iter(()) if entry.member.is_folder else self._unpacked(entry)

    def _find_directory(self) -> _Directory:
        size = self._file.seek(0, 2)
        tail_start = max(0, size - _MAX_END_BYTES)
        self._file.seek(tail_start)
        tail = self._file.read()
        place = tail.rfind(b"PK\x05\x06")
        if place < 0 or len(tail) - place < _END.size:
            raise damaged(self._archive, "its directory, which stands at the end, is missing")
        _, disk, first, here, entries, length, start, _ = _END.unpack_from(tail, place)
        end = tail_start + place
        if _FULL_16 in (disk, here, entries) or _FULL_32 in (length, start):
            disk, first, here, entries, length, start, end = self._find_directory_64(end)
        if disk or first or here != entries:
            raise refused(
                self._archive,
                "is one of several parts",
                "multi-disk",
                "Join the parts first, for example with 'zip -s 0'.",
            )
        shift = end - start - length
        if shift < 0 or (shift and not self.has_stub):
            raise damaged(self._archive, "its directory is not where its end says")
        self._shift = shift
        return _Directory(start + shift, length, entries)

    def _find_directory_64(self, end: int) -> tuple[int, int, int, int, int, int, int]:
        locator = self._read(end - _LOCATOR_64.size, _LOCATOR_64.size)
        mark, _, place, disks = _LOCATOR_64.unpack(locator)
        if mark != b"PK\x06\x07":
            raise damaged(self._archive, "the end of its directory is missing")
        if disks > 1:
            return 1, 0, 0, 0, 0, 0, 0
        if self.has_stub:
            place = end - _LOCATOR_64.size - _END_64.size  # where it stands as a rule
        fields = _END_64.unpack(self._read(place, _END_64.size))
        if fields[0] != b"PK\x06\x06":
            raise damaged(self._archive, "the end of its directory is missing")
        disk, first, here, entries, length, start = fields[4:]
        return disk, first, here, entries, length, start, place

    def _entries(self) -> Iterator[_Entry]:
        """Yield the directory's entries; the file may be moved about between two of them."""
        place, stop = self._directory.start, self._directory.start + self._directory.size
        for _ in range(self._directory.entries):
            fields = _ENTRY.unpack(self._read(place, _ENTRY.size))
            name_size, extra_size, comment_size = fields[10:13]
            rest = self._read(place + _ENTRY.size, name_size + extra_size)
            place += _ENTRY.size + name_size + extra_size + comment_size
            if fields[0] != b"PK\x01\x02" or place > stop:
                raise damaged(self._archive, "an entry of its directory is not one")
            yield self._entry(fields, rest[:name_size], rest[name_size:])

    def _entry(self, fields: tuple[int, ...], raw: bytes, extra: bytes) -> _Entry:
        _, made_by, _, flags, method, _, _, crc, packed, size, *_, attributes, offset = fields
        if flags & _ENCRYPTED:
            hint = "Make it again without a password."
            raise refused(self._archive, f"holds encrypted files ({raw!r})", "encrypted", hint)
        if method not in (_STORED, _DEFLATED):
            method_name = _METHODS.get(method, f"number {method}")
            hint = "Make it again with the usual compression (Deflate) or none."
            what = f"uses the compression method {method_name}, which is not supported"
            raise refused(self._archive, what, "compression-method", hint)
        size, packed, offset = _long_values(size, packed, offset, extra)
        name, is_guess = self._name(raw, flags, extra)
        is_folder = name.endswith((b"/", b"\\"))
        self._refuse_odd(raw, made_by, attributes, is_folder=is_folder)
        path = safe_member_path(name, self._archive, backslash_separates=True)
        member = ArchiveMember(path, is_folder, size, is_guess)
        return _Entry(raw, member, method, crc, packed, offset + self._shift)

    def _name(self, raw: bytes, flags: int, extra: bytes) -> tuple[bytes, bool]:
        """Return a name as UTF-8, and whether its encoding was guessed (section 4.4.4)."""
        if flags & _UTF_8 or raw.isascii():
            return raw, False
        told = _unicode_path(raw, extra)
        if told is not None:
            return told, False
        if self._name_encoding is not None:
            return as_utf_8(raw, self._name_encoding, self._archive), False
        if is_utf_8(raw):  # many programs write it without saying so
            return raw, False
        return as_utf_8(raw, "cp437", self._archive), True  # what the format falls back to

    def _refuse_odd(self, raw: bytes, made_by: int, attributes: int, *, is_folder: bool) -> None:
        kind = stat.S_IFMT(attributes >> 16) if made_by >> 8 in _UNIX else 0
        if kind == stat.S_IFLNK:
            raise odd_member(self._archive, raw, "a link")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise odd_member(self._archive, raw, "a device or pipe")
        if (kind == stat.S_IFDIR) > is_folder:
            raise odd_member(self._archive, raw, "a folder with the name of a file")

    def _refuse_overlaps(
        self, starts: npt.NDArray[np.uint64], ends: npt.NDArray[np.uint64]
    ) -> None:
        order = np.argsort(starts, kind="stable")
        limits = np.append(starts[order][1:], np.uint64(self._directory.start))
        if len(starts) and (ends[order] > limits).any():
            what = "holds entries that share the same bytes, as hostile archives do"
            hint = "Ask who made it for another copy."
            raise refused(self._archive, what, "overlapping-members", hint)

    def _unpacked(self, entry: _Entry) -> Iterator[bytes]:
        mark, *_, name_size, extra_size = _LOCAL.unpack(self._read(entry.offset, _LOCAL.size))
        start = entry.offset + _LOCAL.size
        if mark != STARTS[0] or self._read(start, name_size) != entry.raw:
            raise damaged(self._archive, f"{entry.raw!r} is not where its directory says")
        packed = self._packed(start + name_size + extra_size, entry.packed)
        size = crc = 0
        for piece in packed if entry.method == _STORED else self._inflated(packed):
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            self._limits.check_ratio(entry.packed, size)
            if size > entry.member.size:
                break
            yield piece
        if size != entry.member.size or crc != entry.crc:
            raise damaged(self._archive, f"{entry.raw!r} is not what its directory says")

    def _packed(self, start: int, size: int) -> Iterator[bytes]:
        while size:
            piece = self._read(start, min(size, CHUNK_BYTES))
            yield piece
            start += len(piece)
            size -= len(piece)

    def _inflated(self, packed: Iterator[bytes]) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in packed:
                left = piece
                while left and not inflater.eof:
                    yield inflater.decompress(left, CHUNK_BYTES)
                    left = inflater.unconsumed_tail
            yield inflater.flush()
        except zlib.error as problem:
            raise damaged(self._archive, str(problem)) from problem

    def _read(self, start: int, size: int) -> bytes:
        if start < 0:
            raise damaged(self._archive, "it ends too early")
        try:
            self._file.seek(start)
            found = self._file.read(size)
        except (OSError, OverflowError) as problem:  # a failing disk, or an offset beyond 2**63
            raise damaged(self._archive, str(problem)) from problem
        if len(found) != size:
            raise damaged(self._archive, "it ends too early")
        return found


def _unicode_path(raw: bytes, extra: bytes) -> bytes | None:
    """Return the name that stands in UTF-8 beside the old one, or None (section 4.6.9)."""
    for kind, content in _extra_fields(extra):
        if kind == _EXTRA_UNICODE_PATH and len(content) > 5 and content[0] == 1:
            (crc,) = struct.unpack_from("<L", content, 1)
            if crc == zlib.crc32(raw) and is_utf_8(content[5:]):  # else the old one was changed
                return content[5:]
    return None


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        place += 4 + length
        if place <= len(extra):
            yield kind, extra[place - length : place]


def _long_values(size: int, packed: int, offset: int, extra: bytes) -> tuple[int, int, int]:
    """Replace the values that did not fit into 32 bits (section 4.5.3)."""
    values = [size, packed, offset]
    for kind, content in _extra_fields(extra):
        at = 0
        if kind == _EXTRA_ZIP_64:
            for number, value in enumerate(values):
                if value == _FULL_32 and at + 8 <= len(content):
                    (values[number],) = struct.unpack_from("<Q", content, at)
                    at += 8
    return values[0], values[1], values[2]
