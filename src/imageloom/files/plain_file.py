"""Files of a directory that may come from a stranger: opened without following a link."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from imageloom.errors import ImageloomError, read_failure

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_MISSING: Final = (errno.ENOENT, errno.ENOTDIR)
# A link at the end of the path, a socket, a folder.
_NO_FILE: Final = (errno.ELOOP, errno.ENXIO, errno.EISDIR)
_TRIES: Final = 3


@contextlib.contextmanager
def naming_read_failures(path: Path, error: type[ImageloomError]) -> Iterator[None]:
    """Turn what the system says of files in the body into an error that names the file.

    Args:
        path: What is read, for a message about no file in particular.
        error: The class to raise, so that the message has the caller's name and code.

    Raises:
        ImageloomError: Of class ``error``: a file is missing, is none, or cannot be read.
    """
    try:
        yield
    except OSError as problem:
        raise _named(path, problem, error) from problem


@contextlib.contextmanager
def opening_plain_file(path: Path, error: type[ImageloomError]) -> Iterator[BinaryIO]:
    """Yield a plain file opened for reading; what it is, is asked of the open file.

    Args:
        path: Where it lies. Its last part is not followed where it is a link.
        error: The class to raise.

    Raises:
        ImageloomError: Of class ``error``: the file is missing, is a link, a pipe, a device or a
            folder, or the body could not read it.
    """
    with naming_read_failures(path, error), _opened(path, error) as file:
        yield file


def read_plain_file(path: Path, error: type[ImageloomError], *, max_bytes: int) -> bytes:
    """Return what is in a plain file of a limited size.

    Raises:
        ImageloomError: Of class ``error``: as ``opening_plain_file``, or it is too big.
    """
    with naming_read_failures(path, error):
        for _ in range(_TRIES - 1):
            try:
                return _read(path, error, max_bytes)
            except OSError as problem:
                if problem.errno != errno.ESTALE:  # NFS: it was replaced while we read it
                    raise
        return _read(path, error, max_bytes)


def _read(path: Path, error: type[ImageloomError], max_bytes: int) -> bytes:
    with _opened(path, error) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise error(
                f"{path} has {size:,} bytes; at most {max_bytes:,} are read.", reason="too-big"
            )
        return file.read(max_bytes)


@contextlib.contextmanager
def _opened(path: Path, error: type[ImageloomError]) -> Iterator[BinaryIO]:
    if "\0" in str(path):  # Python raises a ValueError, but it is a file that cannot be there
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with open(path, "rb", opener=_open) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _not_plain(path, error)
        yield file


def _open(path: str, _flags: int) -> int:
    return os.open(path, _FLAGS)


def _named(path: Path, problem: OSError, error: type[ImageloomError]) -> ImageloomError:
    where = Path(problem.filename) if isinstance(problem.filename, str) else path
    if problem.errno in _NO_FILE:
        return _not_plain(where, error)
    if problem.errno not in _MISSING:
        return read_failure(path, problem, error)
    return error(
        f"{where} is missing.",
        hint="Is this the right directory? Is it complete?",
        reason="missing-file",
        details={"file": where.name},
    )


def _not_plain(path: Path, error: type[ImageloomError]) -> ImageloomError:
    return error(
        f"{path} is not a plain file.",
        hint="Links, pipes and devices are never followed inside a shared directory.",
        reason="not-a-plain-file",
        details={"file": path.name},
    )
