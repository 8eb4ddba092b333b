"""One process at a time fills a folder of what is kept; the others find it done."""

import contextlib
import errno
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.errors import FailedToWriteOutputsError
from imageloom.events import Control, Notice
from imageloom.files.locks import release, try_lock

_POLL_S: Final = 0.2
# A file system without locks: two may work at once, and publishing keeps one whole.
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def only_one(folder: Path, control: Control, *, waiting: str) -> Iterator[None]:
    """Let one process at a time fill a folder; the others wait, and go on when it is done.

    The lock is the kernel's and goes with its process, so a killed one blocks nobody.

    Args:
        folder: The folder, which is made where it is missing.
        control: Told that another works; stops the wait.
        waiting: What it is told then.

    Raises:
        FailedToWriteOutputsError: The folder cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    waits = False
    while (lock := _try_lock(folder)) is None:
        if not waits:
            control.tell(Notice("info", waiting))
            waits = True
        control.raise_if_cancelled()
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        release(lock)


def _try_lock(folder: Path) -> int | None:
    try:
        return try_lock(folder / "lock", f"process {os.getpid()} on {platform.node()}")
    except FailedToWriteOutputsError as problem:
        if problem.details.get("errno") in _NO_LOCKS:
            return os.open(folder / "lock", os.O_RDONLY)
        raise FailedToWriteOutputsError(
            f"{folder}, where converted pictures are kept, cannot be written: {problem.message}",
            hint="Set IMAGELOOM_HOME to a folder that you may write to, or convert the pictures to "
            "a place of your choice with 'imageloom data convert'.",
            reason="os-error",
            details=problem.details,
        ) from problem
