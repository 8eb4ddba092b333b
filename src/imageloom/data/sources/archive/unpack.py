"""Unpack an archive of pictures by our own writer, which checks everything before it writes.

Two passes. The first reads all headers and refuses the whole archive for one unsafe member: a path
that leads out, a link, a device, two names that collide, more than the limits. The second writes
plain files into a folder of ours and counts what really comes out. Archives inside archives stay
what they are: files that are no pictures.
"""

import bz2
import contextlib
import os
import shlex
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from imageloom.data.images.index import file_name
from imageloom.data.names import is_system_name
from imageloom.data.params import NameEncoding
from imageloom.data.sources.archive.limits import ArchiveLimits
from imageloom.data.sources.archive.member import ArchiveMember, odd_member, refused
from imageloom.data.sources.archive.member_names import MemberNames
from imageloom.data.sources.archive.tar import BLOCK, TarReader, is_tar_header
from imageloom.data.sources.archive.zip import STARTS, ZipReader, holds_zip
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.events import CancelToken, Control, Progress
from imageloom.system.wording import count, some

_NAMES_SHOWN: Final = 3
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

# What a program begins with, behind which an archive that unpacks itself has its files.
_STUBS: Final = {b"MZ": "a program for Windows", b"\x7fELF": "a program", b"#!": "a script"}

Reader = ZipReader | TarReader


class Unpacked(NamedTuple):
    """What is known of an archive whose files were written.

    Attributes:
        ignored: How many system files (``__MACOSX``, ``.DS_Store``, ...) were not written.
        notices: What a person should know.
    """

    ignored: int
    notices: tuple[str, ...]


def unpack_archive(
    archive: Path, into: Path, *, name_encoding: NameEncoding | None = None, control: Control
) -> Unpacked:
    """Write the files of an archive below a folder, under their own names.

    Args:
        archive: A zip file, also behind a program that would unpack it, which is never run; or a
            tar file, plain or packed by gzip or bzip2. Its content decides.
        into: An empty folder that nobody else writes to.
        name_encoding: Encoding of names that do not say theirs, or None to guess.
        control: Told how far it is; stops between two members.

    Raises:
        InvalidDatasetError: The archive is unsafe, damaged, encrypted, of an unknown format, or
            was changed meanwhile; ``reason`` says which.
        FailedToWriteOutputsError: It does not fit on the disk.
        CouldNotOpenFileError: It may not be read.
        RunInterruptedError: Somebody asked to stop.
    """
    try:
        file = archive.open("rb")
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{archive} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem
    with file:
        before = os.fstat(file.fileno())
        limits = ArchiveLimits.of(archive, before.st_size, into)
        reader = _reader(file, archive, limits, name_encoding)
        checked = _check(reader, archive, limits, control.cancel)
        limits.total_bytes = 0
        ignored = _write(reader, into, limits, checked.members, control=control)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise refused(
            archive,
            "changed while it was being unpacked",
            "changed-while-reading",
            "Convert again when it is complete.",
        )
    return Unpacked(ignored, tuple(_notices(archive, reader, checked, ignored)))


def _reader(
    file: BinaryIO, archive: Path, limits: ArchiveLimits, name_encoding: NameEncoding | None
) -> Reader:
    start = file.read(BLOCK)
    if start.startswith(STARTS):
        return ZipReader(file, archive, limits, name_encoding=name_encoding)
    if start.startswith(tuple(_STUBS)):
        if not holds_zip(file):
            raise _only_a_program(archive, start)
        return ZipReader(file, archive, limits, name_encoding=name_encoding, has_stub=True)
    packing = _tar_packing(file, archive, start)
    return TarReader(file, archive, limits, packing, name_encoding=name_encoding)


def _tar_packing(file: BinaryIO, archive: Path, start: bytes) -> str:
    if is_tar_header(start):
        return ""
    if start.startswith(b"\x1f\x8b"):
        _require_tar(_inflated_start(start + file.read(BLOCK * 128)), archive, "gz")
        return "gzip"
    if start.startswith(b"BZh"):
        file.seek(0)
        _require_tar(_bunzipped_start(file), archive, "bz2")
        return "bzip2"
    raise _unknown_format(archive, start)


def _only_a_program(archive: Path, start: bytes) -> InvalidDatasetError:
    name = next(name for mark, name in _STUBS.items() if start.startswith(mark))
    return refused(
        archive,
        f"has a format that is not supported: {name}; if it is an archive that unpacks itself, it "
        "is no zip or its end is missing",
        "format-not-supported",
        "It is not run here. Unpack it with the program that made it, or with 7-Zip, and give the "
        "folder.",
    )


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
        "Give a folder, a .zip, .tar, .tar.gz or .tar.bz2 archive, a .parquet file, or a .csv, "
        ".txt, .jsonl or COCO .json manifest.",
    )


class _Checked(NamedTuple):
    members: int
    guessed: int  # files whose names' encoding nothing tells
    examples: tuple[str, ...]


def _check(reader: Reader, archive: Path, limits: ArchiveLimits, cancel: CancelToken) -> _Checked:
    """Look at every member; return how many there are, and what of their names is a guess."""
    names = MemberNames(archive)
    members = guessed = 0
    examples: list[str] = []
    for member in reader.members():
        limits.count_member()
        limits.count_bytes(member.size)
        if not member.path and not member.is_folder:
            raise odd_member(archive, b".", "a file without a name")
        names.add(member.path, is_folder=member.is_folder)
        members += 1
        if member.is_guess and _is_wanted(member):
            guessed += 1
            if len(examples) < _NAMES_SHOWN:
                examples.append(repr(file_name(member.path)))
        if members % _MEMBERS_PER_EVENT == 0:
            cancel.raise_if_set()
    names.refuse_collisions(
        lambda: (member.path for member in reader.members() if not member.is_folder)
    )
    return _Checked(members, guessed, tuple(examples))


def _is_wanted(member: ArchiveMember) -> bool:
    return not member.is_folder and not any(map(is_system_name, member.path.split(b"/")))


def _notices(archive: Path, reader: Reader, checked: _Checked, ignored: int) -> Iterator[str]:
    if isinstance(reader, ZipReader) and reader.has_stub:
        yield (
            f"{archive} is a program with a zip archive behind it. The archive was read; the "
            "program was not run."
        )
    if checked.guessed:
        command = f"imageloom data convert {shlex.quote(str(archive))} --out pictures"
        yield (
            f"Nothing in {archive} says how the names of {count(checked.guessed, 'file')} are "
            f"encoded, and they are not UTF-8. They {reader.guess}: "
            f"{some(checked.examples, total=checked.guessed)}. If they look wrong, say what they "
            f"are: {command} --name-encoding shift_jis (or gbk, big5, euc_kr, cp1252 and others)."
        )
    if ignored:
        files = count(ignored, "system file in the archive was", "system files in the archive were")
        yield f"{files} not unpacked."


def _write(
    reader: Reader, into: Path, limits: ArchiveLimits, members: int, *, control: Control
) -> int:
    root = os.fsencode(into)
    made = {b""}
    ignored = 0
    for number, (member, pieces) in enumerate(reader.contents()):
        if number % _MEMBERS_PER_EVENT == 0:
            control.tell(Progress("Unpacking", number, members, "files"))
            control.raise_if_cancelled()
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


def _write_one(path: bytes, pieces: Iterator[bytes], limits: ArchiveLimits) -> None:
    # O_EXCL and O_NOFOLLOW: even if a name slipped through, nothing that is there is written to.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o666), "wb") as file:  # noqa: PTH123 - a descriptor
        for piece in pieces:
            limits.count_bytes(len(piece))
            file.write(piece)
