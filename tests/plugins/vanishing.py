"""Read a directory once for each thing that a reader asks the system, with a fault at that point.

A point is any open, stat or listing below the directory, and the reading of a file by a library.
"""

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
import safetensors.torch

CALLS = (
    (os, "open"),
    (os, "stat"),
    (os, "listdir"),
    (os, "scandir"),
    (io, "open"),
    (builtins, "open"),
    (pyarrow, "memory_map"),
    (safetensors.torch, "load_file"),
)


def vanish(directory: Path) -> None:
    shutil.rmtree(directory)


def fail_to_read(directory: Path) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO), str(directory))


FAULTS = (vanish, fail_to_read)


def outcomes(
    make: Callable[[], Path],
    read: Callable[[Path], object],
    fault: Callable[[Path], None],
) -> list[object]:
    """Return what reading came to with the fault at the first point, the second, and so on.

    Args:
        make: Makes the directory, which may be there already.
        read: Reads it.
        fault: What happens at a point.

    Returns:
        The exception of each attempt, or None where it went well; the last attempt had no fault.
    """
    found: list[object] = []
    reached = 0
    while reached >= len(found):  # a point that is not reached is one too many
        directory = make()
        with pytest.MonkeyPatch.context() as patch:
            reached = _fault_at(patch, directory, len(found) + 1, fault, read, found)
    return found


def _fault_at(
    patch: pytest.MonkeyPatch,
    directory: Path,
    point: int,
    fault: Callable[[Path], None],
    read: Callable[[Path], object],
    found: list[object],
) -> int:
    reached = 0

    def watched(real: Callable[..., object]) -> Callable[..., object]:
        def call(place, *args, **named):
            nonlocal reached
            if str(place).startswith(str(directory)):
                reached += 1
                if reached == point:
                    fault(directory)
            return real(place, *args, **named)

        return call

    for owner, name in CALLS:
        patch.setattr(owner, name, watched(getattr(owner, name)))
    try:
        read(directory)
        found.append(None)
    except Exception as problem:  # noqa: BLE001 - the test says which are right
        found.append(problem)
    return reached
