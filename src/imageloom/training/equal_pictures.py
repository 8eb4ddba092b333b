"""What a person should know of equal pictures before a training: copies, and leaks."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow.compute as pc

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.findings import notices_on_copies
from imageloom.system.wording import count, some

_EXAMPLES: Final = 3


def notices_on_equal_pictures(
    training: ImageDirectory, validation: ImageDirectory
) -> tuple[str, ...]:
    """Return sentences on pictures that stand in both, and on copies within each.

    Pictures are equal when their bytes are. One that was encoded anew is not found.
    """
    return (
        *_in_both(training, validation),
        *_copies(training, "training"),
        *_copies(validation, "validation"),
    )


def _in_both(training: ImageDirectory, validation: ImageDirectory) -> Iterator[str]:
    known = training.index.column("sha256").combine_chunks()
    is_known = pc.is_in(validation.index.column("sha256"), value_set=known)
    rows = np.flatnonzero(is_known.to_numpy())
    if len(rows):
        names = [validation.file(int(row)) for row in rows[:_EXAMPLES]]
        yield (
            f"{len(rows):,} of {count(len(validation), 'validation picture')} "
            f"({100 * len(rows) / len(validation):.3g} %) are training pictures too, byte for "
            f"byte: {some(names, total=len(rows))}. Validation figures will look better than they "
            "are. Take them out of one of the two, or divide anew with 'imageloom data split'."
        )


def _copies(images: ImageDirectory, what: str) -> Iterator[str]:
    for sentence in notices_on_copies(images):
        yield f"Among those for {what}, {sentence}"
