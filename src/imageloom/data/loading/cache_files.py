"""The files of the picture cache, as its sweep and the doctor see them."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from imageloom.files.found_files import found_files

PARTIAL: Final = ".partial"
"""How the name of a copy ends while it is written."""

_ABANDONED_S: Final = 3600.0  # writing a copy takes milliseconds


class CachedFile(NamedTuple):
    """A copy on disk."""

    path: str
    size_bytes: int
    used_ns: int


def files_of(root: Path) -> Iterator[CachedFile]:
    """Yield every copy below the folder of the cache; those that go meanwhile are passed over."""
    for path, facts in found_files(root):
        if not path.endswith(PARTIAL):
            yield CachedFile(path, facts.st_size, facts.st_mtime_ns)


def remove_abandoned(root: Path) -> None:
    """Remove what killed processes left half-written."""
    latest = time.time() - _ABANDONED_S
    for path, facts in found_files(root):
        if path.endswith(PARTIAL) and facts.st_mtime < latest:
            with contextlib.suppress(OSError):
                Path(path).unlink()
