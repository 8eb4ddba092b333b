"""The files of an image directory, read only where they still are what was converted."""

import hashlib
import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from imageloom.data.decoding.listed_file import ChangedFileError, read_listed
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import full_path

_ROWS_PER_TURN: Final = 256
HOW_TO_MEND: Final = "Restore the file, or convert the pictures again."


class ConvertedFile(NamedTuple):
    """A row of an index, as far as reading its file needs it."""

    path: bytes
    size_bytes: int
    sha256: bytes


def turns_of_files(images: ImageDirectory) -> Iterator[list[ConvertedFile]]:
    """Yield all files in index order, some at a time."""
    columns = images.index.select(list(ConvertedFile._fields))
    for batch in columns.to_batches(max_chunksize=_ROWS_PER_TURN):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        yield [ConvertedFile(*row) for row in rows]


def content_of(images: ImageDirectory, file: ConvertedFile) -> bytes:
    """Return the bytes of a file.

    Raises:
        ChangedFileError: They are others than were converted; the text says how.
        UnreadableFileError: It cannot be read.
    """
    place, size = full_path(images.root, file.path), file.size_bytes
    try:
        found = os.stat(place, follow_symlinks=images.follows_links)  # noqa: PTH116 - bytes
        if found.st_size != size:
            raise ChangedFileError(f"has {found.st_size:,} bytes, but had {size:,}")
        content = read_listed(
            place, size=size, mtime_ns=found.st_mtime_ns, follow_links=images.follows_links
        )
    except OSError as problem:
        raise ChangedFileError(f"is gone: {problem.strerror}") from problem
    if hashlib.sha256(content).digest() != file.sha256:
        raise ChangedFileError("has other bytes of the same size")
    return content
