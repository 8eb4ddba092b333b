"""Read a file that was listed earlier, and say so when it is no longer what was listed."""

import errno
import os
import stat
from typing import Final

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class ChangedFileError(Exception):
    """A file vanished, grew, shrank or was replaced between listing and reading."""


class UnreadableFileError(Exception):
    """A file may not be read, or its disk fails."""


def read_listed(path: bytes, *, size: int, mtime_ns: int, follow_links: bool = False) -> bytes:
    """Return the content of a plain file.

    Args:
        path: Where it lies.
        size: Bytes it had when it was listed.
        mtime_ns: Time of its last modification then, in nanoseconds since 1970.
        follow_links: Read what a link at the end of the path leads to; else such a link counts as
            a file that was replaced.

    Raises:
        ChangedFileError: It is no longer what was listed.
        UnreadableFileError: It cannot be read, or is too large to be a picture.
    """
    if size > MAX_FILE_BYTES:
        raise UnreadableFileError(f"has more than the {MAX_FILE_BYTES:,} bytes that are read")
    try:
        descriptor = os.open(path, _FLAGS if follow_links else _FLAGS | os.O_NOFOLLOW)
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE, errno.ENXIO):
            raise ChangedFileError("is gone or was replaced") from problem
        raise UnreadableFileError(f"may not be read: {problem.strerror}") from problem
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        try:
            before = os.fstat(descriptor)
            content = file.read(size + 1) if stat.S_ISREG(before.st_mode) else b""
            after = os.fstat(descriptor)
        except OSError as problem:
            raise UnreadableFileError(f"could not be read: {problem.strerror}") from problem
    if not stat.S_ISREG(before.st_mode):
        raise ChangedFileError("is no longer a file")
    found = (len(content), after.st_mtime_ns)
    if found != (size, mtime_ns):
        raise ChangedFileError(f"had {size:,} bytes when it was listed and was changed since")
    return content
