"""What an open image directory holds: numbers, and pages of its pictures.

Legend: N pictures.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import UNLABELLED, file_name, label_pairs
from imageloom.data.previews.image_pages import (
    ClassCount,
    Histogram,
    ImagesOverview,
    ListedPicture,
    PicturePage,
)
from imageloom.errors import CouldNotOpenFileError, unknown_name
from imageloom.preprocessing import transforms_to_json

_BINS: Final = 24
_WIDEST: Final = 4.0  # shapes beyond are counted in the outermost bins


def overview_of(images: ImageDirectory) -> ImagesOverview:
    """Return an image directory in numbers; no picture is opened."""
    index = images.index
    widths_N = index.column("width").to_numpy().astype(np.float64)
    heights_N = index.column("height").to_numpy().astype(np.float64)
    shapes_N = np.clip(widths_N / np.maximum(heights_N, 1), 1 / _WIDEST, _WIDEST)
    return ImagesOverview(
        root=str(images.root),
        images=len(images),
        classes=tuple(_classes(images)),
        formats=_formats(images),
        size_bytes=int(pc.sum(index.column("size_bytes")).as_py() or 0),
        left_out=len(images.rejected),
        left_out_reasons=images.left_out,
        notices=images.notices,
        shorter_side=histogram(np.minimum(widths_N, heights_N)),
        shape=histogram(shapes_N),
        transforms=None if images.transforms is None else transforms_to_json(images.transforms),
    )


def pictures_of(
    images: ImageDirectory,
    *,
    label: str | None,
    rows: Sequence[int] | None,
    offset: int,
    limit: int,
) -> PicturePage:
    """Return some pictures: those of a class, those at given positions, or all.

    Raises:
        UnknownNameError: There is no such class.
        CouldNotOpenFileError: There is no such position.
    """
    if rows is not None:
        for row in rows:
            require_row(images, row)
        chosen = np.array(rows, dtype=np.int64)
    elif label is not None:
        if label not in images.classes:
            raise unknown_name("class", label, images.classes)
        rows_of_labels, labels = label_pairs(images.index)
        chosen = rows_of_labels[labels == images.classes.index(label)]
    else:
        chosen = np.arange(len(images))
    shown = chosen[offset : offset + limit]
    return PicturePage(tuple(_listed(images, shown)), len(chosen))


def require_row(images: ImageDirectory, row: int) -> None:
    """Refuse a position that the image directory does not have.

    Raises:
        CouldNotOpenFileError: The message has both numbers.
    """
    if not 0 <= row < len(images):
        raise CouldNotOpenFileError(
            f"There is no picture {row}: the image directory has {len(images):,}, from 0.",
            hint="Look at the list of its pictures again.",
            reason="no-picture",
        )


def histogram(values_N: npt.NDArray[np.float64]) -> Histogram:
    """Return up to 24 bins of equal width from the least to the largest value."""
    if not len(values_N):
        return Histogram((0.0, 1.0), (0,))
    low, high = float(values_N.min()), float(values_N.max())
    if low == high:
        return Histogram((low, high), (len(values_N),))
    counts, edges = np.histogram(values_N, bins=_BINS, range=(low, high))
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _classes(images: ImageDirectory) -> Iterator[ClassCount]:
    for name, count in images.counts.items():
        yield ClassCount(name, count)
    unlabelled = int((label_pairs(images.index)[1] == UNLABELLED).sum())
    if unlabelled:
        yield ClassCount(None, unlabelled)


def _formats(images: ImageDirectory) -> dict[str, int]:
    counts = {
        one["values"]: one["counts"]
        for one in pc.value_counts(images.index.column("format")).to_pylist()
    }
    return dict(sorted(counts.items(), key=lambda one: -one[1]))


def _listed(images: ImageDirectory, rows: npt.NDArray[np.int64]) -> Iterator[ListedPicture]:
    found = images.index.take(pa.array(rows)).to_pylist()
    for row, one in zip(rows.tolist(), found, strict=True):
        yield ListedPicture(
            row=row,
            file=file_name(one["path"]),
            label=", ".join(images.label_names(row)) or None,
            width=one["width"],
            height=one["height"],
            format=one["format"],
            size_bytes=one["size_bytes"],
            sha256=one["sha256"].hex(),
        )
