"""Whether the pictures still are what was converted: the SHA-256 of every file, read again."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from imageloom.data.decoding.listed_file import ChangedFileError, UnreadableFileError, read_listed
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.index import file_name, full_path
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, Progress
from imageloom.system.wording import count, some

_THREADS: Final = 8  # hashing lets go of the interpreter, and disks answer several readers at once
_ROWS_PER_TURN: Final = 256
_FIX: Final = "Restore the file, or convert the pictures again."
_MOST_LISTED: Final = 100


def changed_files(images: ImageDirectory, *, control: Control) -> tuple[Rejected, ...]:
    """Read every picture and return those that are not what was converted, in index order.

    Args:
        images: A directory whose files may have changed since.
        control: Told how many were read; stops between two files.

    Raises:
        RunInterruptedError: Somebody asked to stop.
    """
    found: list[Rejected] = []
    done = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for turn in _turns(images):
            control.raise_if_cancelled()
            for path, what in zip(
                (path for path, _, _ in turn),
                threads.map(lambda row: _change(images, *row), turn),
                strict=True,
            ):
                if what:
                    found.append(Rejected(file_name(path), what, _FIX))
            done += len(turn)
            control.tell(Progress("Checking files", done, len(images), "images"))
    return tuple(found)


def verify_pictures(images: ImageDirectory, *, control: Control) -> None:
    """Refuse pictures that are not what was converted.

    Raises:
        InvalidDatasetError: Names the first of them, and lists up to 100 in its details.
    """
    changed = changed_files(images, control=control)
    if changed:
        shown = some([f"{one.file!r} {one.reason}" for one in changed])
        differ = "differs" if len(changed) == 1 else "differ"
        raise InvalidDatasetError(
            f"{len(changed):,} of {count(len(images), 'picture')} in {images.root} {differ} from "
            f"what was converted: {shown}.",
            hint=_FIX,
            reason="changed-pictures",
            details={"files": [one.file for one in changed[:_MOST_LISTED]]},
        )


def read_unchanged(images: ImageDirectory, position: int) -> bytes:
    """Return the bytes of one picture, which must be those that were converted.

    Raises:
        InvalidDatasetError: They are not, or the file is gone; the message names it.
    """
    path, size, sha256 = (
        images.index.column(name)[position].as_py() for name in ("path", "size_bytes", "sha256")
    )
    try:
        return _content(images, path, size, sha256)
    except (ChangedFileError, UnreadableFileError) as problem:
        raise InvalidDatasetError(
            f"{file_name(path)!r} in {images.root} {problem}.",
            hint=_FIX,
            reason="changed-pictures",
            details={"files": [file_name(path)]},
        ) from problem


def _turns(images: ImageDirectory) -> Iterator[list[tuple[bytes, int, bytes]]]:
    columns = images.index.select(["path", "size_bytes", "sha256"])
    for batch in columns.to_batches(max_chunksize=_ROWS_PER_TURN):
        yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _change(images: ImageDirectory, path: bytes, size: int, sha256: bytes) -> str:
    """Return what is different about one file, or nothing."""
    try:
        _content(images, path, size, sha256)
    except (ChangedFileError, UnreadableFileError) as problem:
        return str(problem)
    return ""


def _content(images: ImageDirectory, path: bytes, size: int, sha256: bytes) -> bytes:
    """Return the bytes of a file.

    Raises:
        ChangedFileError: They are others than were converted; the text says how.
        UnreadableFileError: It cannot be read.
    """
    place = full_path(images.root, path)
    try:
        found = os.stat(place, follow_symlinks=images.follows_links)  # noqa: PTH116 - bytes
        if found.st_size != size:
            raise ChangedFileError(f"has {found.st_size:,} bytes, but had {size:,}")
        content = read_listed(
            place, size=size, mtime_ns=found.st_mtime_ns, follow_links=images.follows_links
        )
    except OSError as problem:
        raise ChangedFileError(f"is gone: {problem.strerror}") from problem
    if hashlib.sha256(content).digest() != sha256:
        raise ChangedFileError("has other bytes of the same size")
    return content
