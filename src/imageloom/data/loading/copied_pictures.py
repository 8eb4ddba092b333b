"""Pictures as their scaled copies: from the cache, or made from the original in the same way.

Whatever the cache holds, the pixels are the same: a copy holds just what scaling has made.

Legend: C channels, H height, W width, N pictures of the directory.
"""

import errno
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from imageloom.data.loading.picture_cache import (
    DamagedCopyError,
    PictureCache,
    rows_with_room,
)
from imageloom.data.loading.resize import resized
from imageloom.errors import too_many_open_files


class CopiedPictures:
    """Finds and makes copies of an image directory's pictures; several threads may use one.

    A copy's checksum is compared when it is read for the first time, and again when the file has
    changed.

    Args:
        cache: Where they lie; the first ones that have room there.
        heights_N: Of the originals.
        widths_N: Of the originals.
    """

    def __init__(
        self,
        cache: PictureCache,
        heights_N: npt.NDArray[np.int32],
        widths_N: npt.NDArray[np.int32],
    ) -> None:
        self._cache = cache
        self._sizes_N = heights_N, widths_N
        self._rows_with_room = rows_with_room(cache, heights_N, widths_N)
        self._stamps_N = np.zeros(len(heights_N), dtype=np.int64)
        self.notice = ""
        """What a person should know of the cache; empty while all is well."""
        self._keeps = True
        self._has_failed = False

    def size(self, row: int) -> tuple[int, int]:
        """Return height and width of the copy of a picture."""
        heights_N, widths_N = self._sizes_N
        return self._cache.size_of_copy(int(heights_N[row]), int(widths_N[row]))

    def is_new(self, row: int) -> bool:
        """Whether no copy of the picture was found so far."""
        return bool(self._stamps_N[row] == 0)

    def picture(
        self, row: int, sha256: bytes, original: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Return the copy of a picture.

        Args:
            row: Of the picture.
            sha256: Of the original.
            original: Returns the original [C, H, W]; called when there is no copy.

        Returns:
            uint8 [C, H, W]; channels last in memory.
        """
        has_room = row < self._rows_with_room
        pixels_HWC = self._found(row, sha256) if has_room else None
        if pixels_HWC is None:
            image_CHW = resized(original(), list(self.size(row)))
            pixels_HWC = np.ascontiguousarray(image_CHW.permute(1, 2, 0).numpy())
            if has_room and self._keeps:
                self._keep(sha256, pixels_HWC)
        return torch.from_numpy(pixels_HWC).permute(2, 0, 1)

    def _found(self, row: int, sha256: bytes) -> npt.NDArray[np.uint8] | None:
        if self.is_new(row):
            self._cache.mark_used(sha256)
        try:
            copy = self._cache.find(sha256, self.size(row), known=int(self._stamps_N[row]))
        except DamagedCopyError:
            self.notice = f"Damaged copies of pictures in {self._cache.folder} are made anew."
            return None
        except OSError as problem:
            self._tell("read", problem)
            return None
        if copy is None:
            return None
        self._stamps_N[row] = copy.stamp
        return copy.pixels_HWC

    def _keep(self, sha256: bytes, pixels_HWC: npt.NDArray[np.uint8]) -> None:
        try:
            self._cache.keep(sha256, pixels_HWC)
        except FileNotFoundError:
            return  # somebody deletes the cache just now; the next copy makes its folders anew
        except OSError as problem:
            self._keeps = False  # each further one would fail too, or take the last free bytes
            self._tell("written", problem)

    def _tell(self, what: str, problem: OSError) -> None:
        if problem.errno in (errno.EMFILE, errno.ENFILE):
            raise too_many_open_files(problem) from problem
        if self._has_failed:  # one cause mostly stops reading and writing both
            return
        self._has_failed = True
        self.notice = (
            f"Scaled copies of pictures in {self._cache.folder} cannot be {what}: "
            f"{problem.strerror or problem}. Training goes on to the same result, but decodes "
            "pictures without a copy in each epoch. Free space, or set IMAGELOOM_HOME to a folder "
            "that you may write to."
        )
