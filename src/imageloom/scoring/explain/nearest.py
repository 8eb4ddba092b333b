"""Which pictures are most alike to a model: exact search by cosine, part by part.

Legend: N pictures, F features, k neighbours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory

_ROWS_AT_A_TIME: Final = 65_536


@dataclass(frozen=True)
class Neighbour:
    """A picture that is like another one to a model.

    Attributes:
        position: Its row in the image directory.
        file: Its name there.
        label: Its class, or None.
        similarity: Cosine between the features of the two, -1 to 1.
    """

    position: int
    file: str
    label: str | None
    similarity: float

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return dict(vars(self))


def most_similar(
    features_NF: npt.NDArray[np.float32], wanted_F: npt.NDArray[np.float32], k: int
) -> list[tuple[int, float]]:
    """Return the rows with the highest cosine and that cosine, the highest first.

    Equal ones stand in the order of their rows. Every row is looked at, a part at a time, so that
    memory does not grow with N.

    Args:
        features_NF: Rows of length 1; may be mapped from a file.
        wanted_F: Of length 1.
        k: How many; more than there are gives all.
    """
    best: list[tuple[float, int]] = []
    for start in range(0, len(features_NF), _ROWS_AT_A_TIME):
        cosines = features_NF[start : start + _ROWS_AT_A_TIME] @ wanted_F
        order = np.argsort(-cosines, kind="stable")[:k]
        best += [(-float(cosines[row]), start + int(row)) for row in order]
        best = sorted(best)[:k]
    return [(row, -negative) for negative, row in best]


def neighbours_in(images: ImageDirectory, found: list[tuple[int, float]]) -> tuple[Neighbour, ...]:
    """Return pictures of an image directory by their rows, with names and labels."""
    return tuple(
        Neighbour(
            position=row,
            file=images.file(row),
            label=", ".join(images.label_names(row)) or None,
            similarity=round(max(-1.0, min(1.0, similarity)), 6),
        )
        for row, similarity in found
    )
