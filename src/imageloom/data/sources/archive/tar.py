"""Read tar files, plain or packed by gzip or bzip2, member by member in constant memory.

Python's tarfile reads extended headers of any length into memory, keeps every member, and before
Python 3.12 follows links while unpacking. This reader knows files and folders, nothing else.

Source: POSIX.1-2017, pax, section "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from imageloom.data.params import NameEncoding
from imageloom.data.sources.archive.limits import ArchiveLimits
from imageloom.data.sources.archive.member import CHUNK_BYTES, ArchiveMember, damaged, odd_member
from imageloom.data.sources.archive.member_names import safe_member_path
from imageloom.data.sources.archive.name_encoding import as_utf_8, is_utf_8

BLOCK: Final = 512
_MAX_HEADER_BYTES: Final = 1024 * 1024  # of one extended header; real ones have a few hundred
_FILES: Final = (b"0", b"\0", b"7")
_FOLDER: Final = b"5"
_LONG_NAME: Final = b"L"
_LONG_LINK: Final = b"K"
_PAX: Final = b"x"
_PAX_GLOBAL: Final = b"g"
_ODD_KINDS: Final = {
    b"1": "a hard link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a named pipe",
    b"S": "a sparse file",
    b"M": "the rest of a file from another part",
    b"D": "a list of names from an incremental backup",
}


class _Header(NamedTuple):
    raw: bytes
    kind: bytes
    size: int


class TarReader:
    """The members of one tar file.

    Args:
        file: Open for reading; it is read from its beginning by each pass.
        archive: Its path, for messages.
        limits: Counts members and bytes.
        packing: ``""``, ``gzip`` or ``bzip2``.
        name_encoding: Of names that are not UTF-8, or None to keep them byte for byte.
    """

    guess: Final = "were kept byte for byte and are shown escaped"

    def __init__(
        self,
        file: BinaryIO,
        archive: Path,
        limits: ArchiveLimits,
        packing: str,
        *,
        name_encoding: NameEncoding | None = None,
    ) -> None:
        self._file = file
        self._archive = archive
        self._limits = limits
        self._packing = packing
        self._name_encoding = name_encoding

    def members(self) -> Iterator[ArchiveMember]:
        """Yield every member; the whole file is read once.

        Raises:
            InvalidDatasetError: A member is unsafe or neither a file nor a folder, or the file is
                damaged, or its stream unpacks to too much.
        """
        for member, _ in self._walk():
            yield member

    def contents(self) -> Iterator[tuple[ArchiveMember, Iterator[bytes]]]:
        """Yield every member with its content in pieces, which last until the next member."""
        return self._walk()

    def _walk(self) -> Iterator[tuple[ArchiveMember, Iterator[bytes]]]:
        stream = _Stream(self._file, self._archive, self._limits, self._packing)
        while (header := self._next(stream)) is not None:
            name, is_guess = self._name(header.raw)
            is_folder = header.kind == _FOLDER or name.endswith(b"/")
            path = safe_member_path(name, self._archive, backslash_separates=False)
            size = 0 if is_folder else header.size
            pieces = stream.pieces(size)
            yield ArchiveMember(path, is_folder, size, is_guess), pieces
            for _ in pieces:  # what the caller left
                pass
            stream.skip_padding(size)

    def _name(self, raw: bytes) -> tuple[bytes, bool]:
        """Return a name, in UTF-8 where that is known, and whether it is not."""
        if is_utf_8(raw):
            return raw, False
        if self._name_encoding is None:
            return raw, True
        return as_utf_8(raw, self._name_encoding, self._archive), False

    def _next(self, stream: "_Stream") -> _Header | None:
        """Return the next file or folder with its full name, or None at the end mark."""
        long_name, size = b"", None
        while True:
            block = stream.read(BLOCK)
            if not block.strip(b"\0"):
                self._check_end(stream)
                return None
            header = self._parse(block)
            if header.kind in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK, b"V"):
                content = self._extension(stream, header)
                if header.kind == _LONG_NAME:
                    long_name = content.rstrip(b"\0")
                elif header.kind == _PAX:
                    long_name, size = self._pax(content, long_name, size)
                continue
            raw = long_name or header.raw
            if header.kind not in (*_FILES, _FOLDER):
                what = _ODD_KINDS.get(header.kind, f"of the unknown kind {header.kind!r}")
                raise odd_member(self._archive, raw, what)
            return _Header(raw, header.kind, header.size if size is None else size)

    def _check_end(self, stream: "_Stream") -> None:
        """Refuse members behind the end mark: most programs would not see them."""
        while piece := stream.read_some():
            if piece.strip(b"\0"):
                raise damaged(self._archive, "there is more behind its end mark")

    def _parse(self, block: bytes) -> _Header:
        if not is_tar_header(block):
            raise damaged(self._archive, "a header does not have the sum that it says")
        name = _text(block[:100])
        if block[257:263] == b"ustar\0":
            prefix = _text(block[345:500])
            name = prefix + b"/" + name if prefix else name
        size = _number(block[124:136])
        if size is None:
            raise damaged(self._archive, f"the size of {name!r} is not a number")
        return _Header(name, block[156:157], size)

    def _extension(self, stream: "_Stream", header: _Header) -> bytes:
        if header.size > _MAX_HEADER_BYTES:
            raise damaged(self._archive, f"an extended header has {header.size:,} bytes")
        content = b"".join(stream.pieces(header.size))
        stream.skip_padding(header.size)
        return content

    def _pax(self, content: bytes, name: bytes, size: int | None) -> tuple[bytes, int | None]:
        """Return name and size, replaced by those of a pax header where it has them."""
        while content:
            length, _, _ = content.partition(b" ")
            if not length.isdigit() or not 0 < int(length) <= len(content):
                raise damaged(self._archive, "an extended header is not one")
            key, _, value = content[len(length) + 1 : int(length) - 1].partition(b"=")
            content = content[int(length) :]
            if key == b"path":
                name = value
            elif key == b"size" and value.isdigit():
                size = int(value)
            elif key.startswith(b"GNU.sparse"):
                raise odd_member(self._archive, name, "a sparse file")
        return name, size


class _Stream:
    """The unpacked bytes of a tar file, counted."""

    def __init__(self, file: BinaryIO, archive: Path, limits: ArchiveLimits, packing: str) -> None:
        file.seek(0)
        self._packed = file
        self._archive = archive
        self._limits = limits
        self._unpacked: BinaryIO = file
        if packing == "gzip":
            self._unpacked = gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[assignment]
        elif packing == "bzip2":
            self._unpacked = bz2.BZ2File(file)  # type: ignore[assignment]
        self._read_bytes = 0

    def read_some(self, size: int = CHUNK_BYTES) -> bytes:
        """Return up to ``size`` bytes, none only at the end."""
        try:
            found = self._unpacked.read(size)
        except (EOFError, OSError, zlib.error) as problem:
            raise damaged(self._archive, str(problem)) from problem
        self._read_bytes += len(found)
        self._limits.check_ratio(self._packed.tell(), self._read_bytes)
        return found

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes."""
        found = self.read_some(size)
        if len(found) != size:
            raise damaged(self._archive, "it ends without its end mark")
        return found

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield ``size`` bytes in pieces."""
        while size:
            piece = self.read(min(size, CHUNK_BYTES))
            size -= len(piece)
            yield piece

    def skip_padding(self, size: int) -> None:
        """Go on to the next block after a content of ``size`` bytes."""
        self.read(-size % BLOCK)


def is_tar_header(block: bytes) -> bool:
    """Whether 512 bytes carry the sum that a tar header must carry."""
    if len(block) < BLOCK:
        return False
    stored = _number(block[148:156])
    rest = block[:148] + b" " * 8 + block[156:BLOCK]
    signed = sum(byte - 256 if byte > 127 else byte for byte in rest)
    return stored in (sum(rest), signed)  # some old programs summed signed bytes


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def _number(field: bytes) -> int | None:
    if field[0] & 0x80:  # GNU: a binary number where octal digits do not suffice
        return None if field[0] & 0x40 else int.from_bytes(field, "big") & ((1 << 88) - 1)
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        return None
    return int(digits, 8) if digits else 0
