"""The scored table of a model that may give a picture several labels, as a value.

Legend: N pictures, K labels.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.errors import NotExpectedLabelColumnError

LABELS: Final = "labels"
SCORED_SET: Final = "Scored Label Set"


@dataclass(frozen=True, eq=False)
class LabelSetTable:
    """One row per picture: which labels it has, if known, and which a model gives it.

    Attributes:
        files: Names relative to ``root``, text [N].
        labels_NK: bool, which labels each picture has; None where that is not known.
        classes: The model's labels, in order.
        predicted_NK: bool, which it gives each picture: those at or above their threshold.
        probabilities_NK: float32, 0 to 1, each by itself: rows do not add up to 1.
        thresholds: From which probability a picture has each label, or None when the table does not
            say.
        root: Folder that the names start from, or None when the table does not say.
        model_digest: SHA-256 of the model that scored, or "" when the table does not say.
        left_out: Files that were left out of the pictures before they were scored, by reason; empty
            also when the table does not say.
    """

    files: pa.Array
    labels_NK: npt.NDArray[np.bool_] | None
    classes: tuple[str, ...]
    predicted_NK: npt.NDArray[np.bool_]
    probabilities_NK: npt.NDArray[np.float32]
    thresholds: tuple[float, ...] | None = None
    root: Path | None = None
    model_digest: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def is_labelled(self) -> bool:
        """Whether it is known which labels each picture has."""
        return self.labels_NK is not None

    def with_thresholds(self, thresholds: Sequence[float], *, model_digest: str) -> Self:
        """Return the same probabilities, from which other thresholds choose the labels."""
        return dataclasses.replace(
            self,
            predicted_NK=given_labels(self.probabilities_NK, thresholds),
            thresholds=tuple(thresholds),
            model_digest=model_digest,
        )

    def require_labels(self) -> npt.NDArray[np.bool_]:
        """Return which labels each picture has.

        Raises:
            NotExpectedLabelColumnError: It is not known.
        """
        if self.labels_NK is not None:
            return self.labels_NK
        raise NotExpectedLabelColumnError(
            f"Nothing says which labels the {len(self):,} scored pictures have, so nothing tells "
            "right from wrong.",
            hint="Score an image directory with several labels per picture, or add a column "
            f"{LABELS!r}.",
            reason="no-labels",
        )


def given_labels(
    probabilities_NK: npt.NDArray[np.float32], thresholds: Sequence[float]
) -> npt.NDArray[np.bool_]:
    """Return which labels each picture is given: those at or above their threshold, bool [N, K]."""
    given: npt.NDArray[np.bool_] = probabilities_NK >= np.array(thresholds, dtype=np.float64)
    return given


def names_of_sets(classes: Sequence[str], sets_NK: npt.NDArray[np.bool_]) -> pa.Array:
    """Return the names of each picture's labels, lists of text [N], in the order of the classes."""
    rows, labels = np.nonzero(sets_NK)
    offsets = np.append(0, np.cumsum(np.bincount(rows, minlength=len(sets_NK))))
    names = pa.array(classes, pa.string()).take(pa.array(labels))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names)
