"""Image directories that stay open, so that the next look at one costs no second check."""

import itertools
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import RECORD, ImageDirectory, read_image_directory
from imageloom.data.images.index import UNLABELLED

_MOST_OPEN: Final = 4
_State = tuple[int, int, int]


class OpenedDirectories:
    """The image directories that were asked for last; the index of each is mapped, not read."""

    def __init__(self) -> None:
        self._opened: dict[Path, tuple[_State, ImageDirectory]] = {}

    def open(self, path: Path) -> ImageDirectory:
        """Return an image directory; one that was replaced since is opened anew.

        Raises:
            InvalidDatasetError: It is none, is damaged or was made by a newer version.
        """
        state = _state(path)
        known = self._opened.pop(path, None)
        images = known[1] if known and known[0] == state else read_image_directory(path)
        self._opened[path] = (state, images)
        if len(self._opened) > _MOST_OPEN:
            self._opened.pop(next(iter(self._opened)))
        return images


def first_of_each(
    labels_N: npt.NDArray[np.int32], num_classes: int, *, most: int
) -> list[list[int]]:
    """Return for each class its first positions, and last those of pictures without a label.

    Args:
        labels_N: Positions in the class list, or ``UNLABELLED``.
        num_classes: Length of the class list.
        most: How many of each.
    """
    by_label = np.argsort(labels_N, kind="stable")
    begins = np.searchsorted(labels_N[by_label], np.arange(UNLABELLED, num_classes + 1))
    parts = [
        by_label[begin : min(begin + most, end)].tolist()
        for begin, end in itertools.pairwise(begins.tolist())
    ]
    return [*parts[1:], parts[0]]


def _state(path: Path) -> _State:
    try:
        found = (path / RECORD).stat()
    except (OSError, ValueError):
        return (0, 0, 0)  # reading it says what is wrong
    return (found.st_ino, found.st_size, found.st_mtime_ns)
