"""The files of the picture cache, as its sweep and the doctor see them."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

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
    for path, facts in _all_files(root):
        if not path.endswith(PARTIAL):
            yield CachedFile(path, facts.st_size, facts.st_mtime_ns)


def remove_abandoned(root: Path) -> None:
    """Remove what killed processes left half-written."""
    latest = time.time() - _ABANDONED_S
    for path, facts in _all_files(root):
        if path.endswith(PARTIAL) and facts.st_mtime < latest:
            with contextlib.suppress(OSError):
                Path(path).unlink()


def _all_files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - a million files
            with contextlib.suppress(OSError):
                yield path, os.lstat(path)
