"""Scaled copies of pictures on disk: one file each, by the digest of the file it was made from.

A copy holds its pixels as they are. In a second one core makes parts of 224 px from 2,700 to 3,000
such copies (checksum included), from 1,060 to 1,100 copies in JPEG (quality 95, 4:4:4), and from
370 to 410 photos by torchvision; on disk the three take 261, 50 and 113 KB (decision 0021).

Legend: C channels, H height, W width.
"""

import contextlib
import errno
import functools
import os
import shutil
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from imageloom.data.loading.cache_files import PARTIAL

FORMAT_VERSION: Final = 1
LEAST_FREE_BYTES: Final = 2 * 2**30
"""What copies leave free on their disk, for checkpoints and what else is written there."""

_HEAD: Final = struct.Struct("<8sIII")  # what it is, height, width, CRC-32 of the pixels
_MAGIC: Final = b"ILCOPY\0\1"


class DamagedCopyError(Exception):
    """A copy is not what was written; never seen by a user, for it is made anew."""


class Copy(NamedTuple):
    """A copy that was read.

    Attributes:
        pixels_HWC: uint8.
        stamp: A number other than 0 that changes with the file.
    """

    pixels_HWC: npt.NDArray[np.uint8]
    stamp: int


@dataclass(frozen=True)
class PictureCache:
    """Where copies of one size lie; runs and processes may share it, and it may be deleted.

    No lock is held: a copy appears in one step, and one that goes is made anew by whoever needs it.

    Attributes:
        root: The folder of copies of all sizes.
        side: Pixels of a copy's shorter side; smaller pictures are kept as they are.
        limit_bytes: What all copies may take together.
    """

    root: Path
    side: int
    limit_bytes: int

    @functools.cached_property
    def folder(self) -> Path:
        """Where copies of this size lie; another version of torch might scale otherwise."""
        return self.root / f"{self.side}-v{FORMAT_VERSION}-torch-{torch.__version__}"

    def file_of(self, sha256: bytes) -> Path:
        """Return where the copy of an original is, or would be."""
        digest = sha256.hex()
        return Path(f"{self.folder}/{digest[:2]}/{digest}")

    def size_of_copy(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the copy of a picture, as torchvision's ``Resize`` does."""
        shorter, longer = sorted((height, width))
        if shorter <= self.side:
            return height, width
        scaled = int(self.side * longer / shorter)
        return (self.side, scaled) if height <= width else (scaled, self.side)

    def find(self, sha256: bytes, size: tuple[int, int], known: int = 0) -> Copy | None:
        """Return a copy of that height and width, or None where there is none.

        Args:
            sha256: Of the original.
            size: Height and width.
            known: The stamp of a copy whose checksum was right; it is not computed again.

        Raises:
            DamagedCopyError: There is one, which is not what was written.
            OSError: It cannot be read.
        """
        head, pixels_HWC = bytearray(_HEAD.size), np.empty((*size, 3), dtype=np.uint8)
        try:
            with self.file_of(sha256).open("rb", buffering=0) as file:
                facts = os.fstat(file.fileno())
                read_bytes = (file.readinto(head) or 0) + (file.readinto(pixels_HWC.data) or 0)
        except FileNotFoundError:
            return None
        stamp = hash((facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)) or 1
        is_whole = read_bytes == facts.st_size == _HEAD.size + pixels_HWC.nbytes
        if not is_whole or (stamp != known and head != _head_of(pixels_HWC)):
            raise DamagedCopyError
        return Copy(pixels_HWC, stamp)

    def mark_used(self, sha256: bytes) -> None:
        """Let a copy be one of the last to be removed; a disk that is only read tells no times."""
        with contextlib.suppress(OSError):
            os.utime(self.file_of(sha256))

    def keep(self, sha256: bytes, pixels_HWC: npt.NDArray[np.uint8]) -> None:
        """Write a copy, in one step and in the place of one that is there.

        It is not synced to disk: what a loss of power leaves is noticed, as all damage.

        Raises:
            OSError: The disk is full, or the like.
        """
        place = self.file_of(sha256)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(place.parent).free < LEAST_FREE_BYTES + pixels_HWC.nbytes:
            raise OSError(errno.ENOSPC, f"less than {LEAST_FREE_BYTES // 2**30} GiB are free")
        descriptor, partial = tempfile.mkstemp(suffix=PARTIAL, dir=place.parent)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(_head_of(pixels_HWC))
                file.write(pixels_HWC.data)
            Path(partial).replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
            raise


def _head_of(pixels_HWC: npt.NDArray[np.uint8]) -> bytes:
    height, width, _ = pixels_HWC.shape
    return _HEAD.pack(_MAGIC, height, width, zlib.crc32(pixels_HWC.data))


def bytes_of_copies(
    cache: PictureCache, heights_N: npt.NDArray[np.int32], widths_N: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Return the size on disk of the copies of N pictures."""
    shorter_N = np.minimum(heights_N, widths_N).astype(np.int64)
    longer_N = np.maximum(heights_N, widths_N).astype(np.int64)
    scaled_N = (cache.side * longer_N / shorter_N).astype(np.int64)
    is_scaled_N = shorter_N > cache.side
    pixels_N = np.where(is_scaled_N, cache.side * scaled_N, shorter_N * longer_N)
    return _HEAD.size + 3 * pixels_N


def rows_with_room(
    cache: PictureCache, heights_N: npt.NDArray[np.int32], widths_N: npt.NDArray[np.int32]
) -> int:
    """Return of how many rows, from the first, copies fit into the limit of the cache."""
    together_N = np.cumsum(bytes_of_copies(cache, heights_N, widths_N))
    return int(np.searchsorted(together_N, cache.limit_bytes, side="right"))
