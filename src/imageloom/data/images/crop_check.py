"""Whether every crop of a transform list fits into every picture, told by the sizes alone.

Legend: N pictures.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing import (
    CenterCrop,
    Letterbox,
    Pad,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Squash,
    Transforms,
)
from imageloom.system.wording import some

_MOST_NAMED: Final = 3


def require_crops_fit(images: ImageDirectory, transforms: Transforms, what: str) -> None:
    """Refuse pictures that are smaller than a crop, before one of them stops the work half-way.

    Args:
        images: The pictures; their sizes stand in the index, so no file is opened.
        transforms: What will be applied to them.
        what: What the pictures are, as in ``training pictures``.

    Raises:
        InvalidDatasetError: A crop does not fit; the message has its size, the pictures and theirs.
    """
    widths_N = images.index.column("width").to_numpy()
    heights_N = images.index.column("height").to_numpy()
    # A crop fits when the shorter side is long enough, and every operation that changes sizes but
    # a padding gives the shorter side a length of its own.
    shorter_N = np.minimum(widths_N, heights_N).astype(np.int64)
    for operation in transforms:
        if isinstance(operation, CenterCrop | RandomCrop):
            padding = operation.padding if isinstance(operation, RandomCrop) else 0
            too_small = np.flatnonzero(shorter_N < operation.size - 2 * padding)
            if len(too_small):
                raise _too_large(images, operation, what, too_small, shorter_N)
        if isinstance(operation, Pad):
            shorter_N = shorter_N + 2 * operation.padding
        elif isinstance(
            operation, Resize | Squash | Letterbox | CenterCrop | RandomResizedCrop | RandomCrop
        ):
            shorter_N = np.full_like(shorter_N, operation.size)


def _too_large(
    images: ImageDirectory,
    operation: CenterCrop | RandomCrop,
    what: str,
    too_small: npt.NDArray[np.int64],
    shorter_N: npt.NDArray[np.int64],
) -> InvalidDatasetError:
    named = []
    for row in too_small[:_MOST_NAMED].tolist():
        width, height = (images.index.column(side)[row].as_py() for side in ("width", "height"))
        then = int(shorter_N[row])
        changed = "" if then == min(width, height) else f", {then} on its shorter side by then"
        named.append(f"{images.file(row)} ({width} x {height}{changed})")
    kind, size = operation.kind.replace("_", " "), operation.size
    padded = isinstance(operation, RandomCrop) and operation.padding
    padding = f" with a padding of {padded}" if padded else ""
    return InvalidDatasetError(
        f"A {kind} of {size} pixels{padding} does not fit into {len(too_small):,} of the "
        f"{len(images):,} {what} in {images.root}: {some(named, total=len(too_small))}.",
        hint="Put a resize before the crop, make the crop smaller, or leave these pictures out.",
        reason="crop-too-large",
        details={"size": size, "pictures": len(too_small), "images": len(images)},
    )
