"""Folders for what a process needs while it runs, cleared away also when it was killed."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.files.locks import is_locked, release, try_lock

_LOCK: Final = "lock"


@contextlib.contextmanager
def own_folder(prefix: str) -> Iterator[Path]:
    """Yield a new folder among the system's temporary files, which is gone afterwards.

    A process that is killed cannot remove its own; the next one that asks for such a folder does.

    Args:
        prefix: How its name begins, and those of the folders that are cleared away with it.

    Raises:
        FailedToWriteOutputsError: The system's temporary files cannot be written.
    """
    _clear_away_those_of_the_dead(prefix)
    # By another name until it is locked, so that nobody takes it for one that a dead process left.
    unlocked = Path(tempfile.mkdtemp(prefix=f".{prefix}"))
    folder = unlocked.with_name(unlocked.name.removeprefix("."))
    lock = try_lock(unlocked / _LOCK, f"process {os.getpid()}")
    assert lock is not None, "nobody else knows of it"
    unlocked.rename(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        release(lock)


def _clear_away_those_of_the_dead(prefix: str) -> None:
    if sys.platform == "win32":  # which has no such locks
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            is_ours = folder.stat(follow_symlinks=False).st_uid == os.geteuid()
            if is_ours and (folder / _LOCK).is_file() and not is_locked(folder / _LOCK):
                shutil.rmtree(folder, ignore_errors=True)
