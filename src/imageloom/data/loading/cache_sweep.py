"""Room in the picture cache: those copies go first whose last use is longest ago.

Legend: N pictures.
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from imageloom.data.loading.cache_files import CachedFile, files_of, remove_abandoned
from imageloom.data.loading.picture_cache import PictureCache


class Swept(NamedTuple):
    """What a sweep removed."""

    copies: int
    size_bytes: int


def sweep(cache: PictureCache, digests_N: list[bytes], sizes_N: npt.NDArray[np.int64]) -> Swept:
    """Remove copies until those that a run needs have room within the limit.

    The run's own stay. Two runs that begin at once may together go above the limit, until the next.

    Args:
        cache: What is swept, copies of other sizes included.
        digests_N: SHA-256 of the originals that the run needs and that have room.
        sizes_N: Size of each one's copy in bytes.
    """
    remove_abandoned(cache.root)
    own, needed_bytes = set(digests_N), int(sizes_N.sum())
    others = [file for file in files_of(cache.root) if not _is_of(file, cache, own)]
    excess_bytes = sum(file.size_bytes for file in others) + needed_bytes - cache.limit_bytes
    copies = size_bytes = 0
    for file in sorted(others, key=lambda file: file.used_ns):
        if size_bytes >= excess_bytes:
            break
        with contextlib.suppress(OSError):
            Path(file.path).unlink()
            copies, size_bytes = copies + 1, size_bytes + file.size_bytes
    return Swept(copies, size_bytes)


def _is_of(file: CachedFile, cache: PictureCache, digests: set[bytes]) -> bool:
    name = os.path.basename(file.path)  # noqa: PTH119 - a million files
    try:
        digest = bytes.fromhex(name)
    except ValueError:
        return False
    return digest in digests and file.path == str(cache.file_of(digest))
