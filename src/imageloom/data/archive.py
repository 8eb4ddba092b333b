"""Unpack an archive of pictures by our own writer, which checks everything before it writes.

Two passes. The first reads all headers and refuses the whole archive for one unsafe member: a path
that leads out, a link, a device, two names that collide, more than the limits. The second writes
plain files into a folder of ours and counts what really comes out. Archives inside archives stay
what they are: files that are no pictures.
"""

import bz2
import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from imageloom.data.archive_limits import Limits
from imageloom.data.archive_member import odd_member, refused
from imageloom.data.member_names import MemberNames
from imageloom.data.names import is_system_name
from imageloom.data.tar_archive import BLOCK, TarReader, is_tar_header
from imageloom.data.zip_archive import STARTS, ZipReader
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.events import CancelToken, EventSink, Progress, ignore_events

_MEMBERS_PER_EVENT: Final = 500
_OTHER_KINDS: Final = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress (.Z)"),
    (b"MSCF", "cab"),
    (b"!<arch>", "ar"),
    (b"\xff\xd8\xff", "a single JPEG picture"),
    (b"\x89PNG", "a single PNG picture"),
)

Reader = ZipReader | TarReader


def unpack_archive(
    archive: Path,
    into: Path,
    *,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> int:
    """Write the files of an archive below a folder, under their own names.

    Args:
        archive: A zip file, or a tar file, plain or packed by gzip or bzip2. Its content decides.
        into: An empty folder that nobody else writes to.
        on_event: Told how far it is.
        cancel: Stops between two members.

    Returns:
        How many system files (``__MACOSX``, ``.DS_Store``, ...) were not written.

    Raises:
        InvalidDatasetError: The archive is unsafe, damaged, encrypted, of an unknown format, or
            was changed meanwhile; ``reason`` says which.
        FailedToWriteOutputsError: It does not fit on the disk.
        CouldNotOpenFileError: It may not be read.
        RunInterruptedError: ``cancel`` was set.
    """
    try:
        file = archive.open("rb")
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{archive} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem
    with file:
        before = os.fstat(file.fileno())
        limits = Limits.of(archive, before.st_size, into)
        reader = _reader(file, archive, limits)
        members = _check(reader, archive, limits, cancel)
        limits.total_bytes = 0
        ignored = _write(reader, into, limits, members, on_event=on_event, cancel=cancel)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise refused(
            archive,
            "changed while it was being unpacked",
            "changed-while-reading",
            "Convert again when it is complete.",
        )
    return ignored


def _reader(file: BinaryIO, archive: Path, limits: Limits) -> Reader:
    start = file.read(BLOCK)
    if start.startswith(STARTS):
        return ZipReader(file, archive, limits)
    if is_tar_header(start):
        return TarReader(file, archive, limits, "")
    if start.startswith(b"\x1f\x8b"):
        _require_tar(_inflated_start(start + file.read(BLOCK * 128)), archive, "gz")
        return TarReader(file, archive, limits, "gzip")
    if start.startswith(b"BZh"):
        file.seek(0)
        _require_tar(_bunzipped_start(file), archive, "bz2")
        return TarReader(file, archive, limits, "bzip2")
    raise _unknown_format(archive, start)


def _require_tar(start: bytes, archive: Path, packing: str) -> None:
    if start and not is_tar_header(start):
        raise refused(
            archive,
            f"has a format that is not supported: {packing} of one file, not of a tar archive",
            "format-not-supported",
            "Give a .zip, .tar, .tar.gz or .tar.bz2 of a folder, or the folder itself.",
        )


def _inflated_start(packed: bytes) -> bytes:
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, BLOCK)
    return b""  # damaged; the reader says so


def _bunzipped_start(file: BinaryIO) -> bytes:
    # One block of bzip2 gives up to 900 kB and is needed whole for its first byte.
    inflater = bz2.BZ2Decompressor()
    found = b""
    with contextlib.suppress(OSError, EOFError):
        while len(found) < BLOCK and (piece := file.read(65_536)):
            found += inflater.decompress(piece, BLOCK)
    return found


def _unknown_format(archive: Path, start: bytes) -> InvalidDatasetError:
    name = next((name for mark, name in _OTHER_KINDS if start.startswith(mark)), "")
    if not name:
        suffix = archive.suffix.lower()
        known = suffix in (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2")
        what = f"no {suffix} archive, or a damaged one" if known else suffix or "no known archive"
        name = "an empty file" if not start else what
    return refused(
        archive,
        f"has a format that is not supported: {name}",
        "format-not-supported",
        "Give a folder, a .zip, .tar, .tar.gz or .tar.bz2 archive, or a .csv, .txt, .jsonl or COCO "
        ".json manifest.",
    )


def _check(reader: Reader, archive: Path, limits: Limits, cancel: CancelToken | None) -> int:
    """Look at every member; return how many there are."""
    names = MemberNames(archive)
    count = 0
    for member in reader.members():
        limits.count_member()
        limits.count_bytes(member.size)
        if not member.path and not member.is_folder:
            raise odd_member(archive, b".", "a file without a name")
        names.add(member.path, is_folder=member.is_folder)
        count += 1
        if cancel is not None and count % _MEMBERS_PER_EVENT == 0:
            cancel.raise_if_set()
    names.refuse_collisions(
        lambda: (member.path for member in reader.members() if not member.is_folder)
    )
    return count


def _write(
    reader: Reader,
    into: Path,
    limits: Limits,
    members: int,
    *,
    on_event: EventSink,
    cancel: CancelToken | None,
) -> int:
    root = os.fsencode(into)
    made = {b""}
    ignored = 0
    for number, (member, pieces) in enumerate(reader.contents()):
        if number % _MEMBERS_PER_EVENT == 0:
            on_event(Progress("Unpacking", number, members, "files"))
            if cancel is not None:
                cancel.raise_if_set()
        if any(map(is_system_name, member.path.split(b"/"))):
            ignored += not member.is_folder
            continue
        folder = member.path if member.is_folder else os.path.dirname(member.path)  # noqa: PTH120
        if folder not in made:  # of a class without pictures too: the listing will name it
            os.makedirs(root + b"/" + folder, exist_ok=True)  # noqa: PTH103 - bytes
            made.add(folder)
        if not member.is_folder:
            _write_one(root + b"/" + member.path, pieces, limits)
    return ignored


def _write_one(path: bytes, pieces: Iterator[bytes], limits: Limits) -> None:
    # O_EXCL and O_NOFOLLOW: even if a name slipped through, nothing that is there is written to.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o666), "wb") as file:  # noqa: PTH123 - a descriptor
        for piece in pieces:
            limits.count_bytes(len(piece))
            file.write(piece)
