"""Image directories that stay open, so that the next page of one costs no second check."""

import itertools
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import RECORD, ImageDirectory, read_image_directory
from imageloom.data.images.index import UNLABELLED
from imageloom.data.previews.values import ListedPicture, PicturePage
from imageloom.errors import ParameterParsingError, unknown_name

MOST_ROWS: Final = 1_000
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


def page_of(images: ImageDirectory, *, label: str | None, offset: int, limit: int) -> PicturePage:
    """Return some pictures, in the order of the image directory.

    Args:
        images: Where they are listed.
        label: Only pictures of this class.
        offset: How many to pass over, from 0.
        limit: How many to return, up to ``MOST_ROWS``.

    Raises:
        UnknownNameError: There is no such class.
    """
    if label is None:
        total = len(images)
        chosen = range(total)[max(0, offset) :][: max(0, min(limit, MOST_ROWS))]
    else:
        if label not in images.classes:
            raise unknown_name("class", label, images.classes)
        places = np.flatnonzero(images.labels == images.classes.index(label))
        total = len(places)
        chosen = places[max(0, offset) :][: max(0, min(limit, MOST_ROWS))].tolist()
    return PicturePage(tuple(picture_at(images, position) for position in chosen), total)


def picture_at(images: ImageDirectory, position: int) -> ListedPicture:
    """Return what an image directory says of one picture.

    Raises:
        ParameterParsingError: There is none at that position.
    """
    if not 0 <= position < len(images):
        raise ParameterParsingError(
            f"position is {position:,}, but must be 0 to {len(images) - 1:,}.",
            hint="The image directory holds fewer pictures than the page asked for.",
            details={"parameter": "position"},
        )
    row = images.index.slice(position, 1).to_pylist()[0]
    return ListedPicture(
        position=position,
        file=images.file(position),
        label=None if row["label"] == UNLABELLED else images.classes[row["label"]],
        width=row["width"],
        height=row["height"],
        format=row["format"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"].hex(),
        group=row["group"],
    )


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
