"""Open a file below a folder without following a link anywhere on the way."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class NotBelowError(OSError):
    """A name leads out of its folder, or to something that is no plain file."""


@contextlib.contextmanager
def opening_below(folder: Path, name: bytes) -> Iterator[BinaryIO]:
    """Yield a plain file opened for reading.

    Each part of the name is opened in the one before it, so that nobody can put a link in the way
    between a look and the reading.

    Args:
        folder: Trusted: links in its own path are followed.
        name: From a stranger, ``/`` between its parts.

    Raises:
        NotBelowError: The name does not lead down, or what is there is no plain file.
        OSError: A part is a link (``ELOOP`` or ``ENOTDIR``), is not there, or may not be read.
    """
    parts = name.split(b"/")
    if b"\0" in name or not {b"", b".", b".."}.isdisjoint(parts):
        raise NotBelowError("the name does not lead down from the folder")
    with contextlib.ExitStack() as opened:
        here = os.open(folder, _FOLDER)
        opened.callback(os.close, here)
        for part in parts[:-1]:
            here = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            opened.callback(os.close, here)
        file = open(os.open(parts[-1], _FILE, dir_fd=here), "rb")  # noqa: PTH123, SIM115
        opened.callback(file.close)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NotBelowError("it is not a plain file")
        yield file
