"""Which files the preview process may read, and how it reads them."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from imageloom.data.decoding.listed_file import MAX_FILE_BYTES
from imageloom.data.images.index import file_name
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.files.open_below import NotBelowError, opening_below

_LINKS: Final = (errno.ELOOP, errno.ENOTDIR)
_GONE: Final = (errno.ENOENT, errno.ENXIO)


@dataclass(frozen=True)
class Reach:
    """The folders below which pictures may be read.

    Attributes:
        roots: Absolute; empty for all that this user may read.
    """

    roots: tuple[Path, ...]

    def source(self, path: str) -> Path:
        """Return where a path really leads, so that no link in it is followed later.

        Raises:
            CouldNotOpenFileError: It leads out of what may be read.
        """
        if not self.roots:
            return Path(path)
        place = Path(os.path.realpath(path))
        if not any(place.is_relative_to(os.path.realpath(root)) for root in self.roots):
            raise self._outside(path)
        return place

    @contextlib.contextmanager
    def opening(self, folder: Path, name: bytes) -> Iterator[BinaryIO]:
        """Yield a plain file opened for reading, no link followed below a folder of ``roots``.

        Args:
            folder: Absolute; one of the roots or below it, when there are any.
            name: Of the file from there, from a stranger.

        Raises:
            CouldNotOpenFileError: It lies elsewhere, is no plain file, is behind a link, is not
                there, or may not be read.
            InvalidDatasetError: It is too large to be a picture.
        """
        anchor, whole = self._anchored(folder, name)
        try:
            with opening_below(anchor, whole) as file:
                if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                    raise _unusable(name, f"has more than the {MAX_FILE_BYTES:,} bytes it may have")
                yield file
        except OSError as problem:
            raise _not_read(folder, name, problem) from problem

    def read(self, folder: Path, name: bytes) -> bytes:
        """Return the content of a file, as ``opening`` finds it."""
        with self.opening(folder, name) as file:
            return file.read(os.fstat(file.fileno()).st_size)  # of one that grows, what it was

    def _anchored(self, folder: Path, name: bytes) -> tuple[Path, bytes]:
        if not self.roots:
            return folder, name
        inside = Path(os.path.normpath(folder))
        for root in self.roots:
            for anchor in (root, Path(os.path.realpath(root))):
                if inside.is_relative_to(anchor):
                    way = os.fsencode(inside.relative_to(anchor))
                    return anchor, name if way == b"." else way + b"/" + name
        raise self._outside(str(folder))

    def _outside(self, path: str) -> CouldNotOpenFileError:
        return CouldNotOpenFileError(
            f"{path} lies outside the folders from which pictures may be shown.",
            hint=f"They are: {', '.join(map(str, self.roots))}.",
            reason="outside-roots",
            details={"path": path},
        )


def unchanged(content: bytes, sha256: str, name: bytes) -> bytes:
    """Return content that has the digest that was recorded.

    Raises:
        InvalidDatasetError: It has another.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _unusable(name, "is not what it was when it was converted")
    return content


def _unusable(name: bytes, what: str) -> InvalidDatasetError:
    file = file_name(name)
    return InvalidDatasetError(
        f"{file} {what}.",
        hint="Restore the file, or convert the pictures again.",
        reason="changed-pictures",
        details={"file": file},
    )


def _not_read(folder: Path, name: bytes, problem: OSError) -> CouldNotOpenFileError:
    file = file_name(name)
    reason = "not-a-plain-file"
    if isinstance(problem, NotBelowError):
        what = str(problem)
    elif problem.errno in _LINKS:
        what = "there is a link on the way to it, and links are not followed"
    else:
        what = problem.strerror or str(problem)
        reason = "not-found" if problem.errno in _GONE else "not-readable"
    return CouldNotOpenFileError(
        f"The picture {file!r} in {folder} cannot be shown: {what}.",
        hint="Is the file still there? Convert the pictures again after a change.",
        reason=reason,
        details={"file": file},
    )
