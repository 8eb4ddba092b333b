"""The scored table as a value: files, labels and probabilities, joined by class name.

Legend: N pictures, K classes.
"""

import functools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.errors import NotExpectedLabelColumnError

FILE: Final = "file"
LABEL: Final = "label"
SCORED_LABEL: Final = "Scored Labels"
UNKNOWN: Final = -1
PROBABILITY: Final = "Scored Probabilities_"

ROWS_AT_A_TIME: Final = 8192
_MOST_BYTES_IN_MEMORY: Final = 2**30


@dataclass(frozen=True, eq=False)
class ScoredTable:
    """One row per picture: what the picture is, if known, and what a model says it is.

    Attributes:
        files: Names relative to ``root``, text [N].
        labels_N: int32, the true class as a position in ``classes``; -1 where unknown.
        classes: The model's class list, in order.
        predicted_N: int32, the class with the highest probability as a position in ``classes``.
        probabilities_NK: float32, 0 to 1, each row adding up to 1.
        root: Folder that the names start from, or None when the table does not say.
        model_digest: SHA-256 of the model that scored, or "" when the table does not say.
        left_out: Files that were left out of the pictures before they were scored, by reason; empty
            also when the table does not say.
    """

    files: pa.Array
    labels_N: npt.NDArray[np.int32]
    classes: tuple[str, ...]
    predicted_N: npt.NDArray[np.int32]
    probabilities_NK: npt.NDArray[np.float32]
    root: Path | None = None
    model_digest: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files)

    @functools.cached_property
    def labels(self) -> tuple[str | None, ...] | None:
        """Names of the true classes, None where unknown; None when no picture has one."""
        if not self.is_labelled:
            return None
        names = (*self.classes, None)  # -1 takes the last
        return tuple(names[position] for position in self.labels_N.tolist())

    @functools.cached_property
    def scored_labels(self) -> tuple[str, ...]:
        """Names of the classes that were given."""
        return tuple(self.classes[position] for position in self.predicted_N.tolist())

    @property
    def is_labelled(self) -> bool:
        """Whether at least one picture has a label."""
        return bool((self.labels_N != UNKNOWN).any())

    @property
    def accuracy(self) -> float | None:
        """Fraction of the labelled pictures that were given their class; None without any."""
        known_N = self.labels_N != UNKNOWN
        if not known_N.any():
            return None
        return float((self.labels_N == self.predicted_N)[known_N].mean())

    def require_labels(self) -> None:
        """Refuse a table in which no picture has a label.

        Raises:
            NotExpectedLabelColumnError: There is none.
        """
        if self.is_labelled:
            return
        raise NotExpectedLabelColumnError(
            f"None of the {len(self):,} scored pictures has a label, so nothing tells right from "
            "wrong.",
            hint="Score pictures that lie in a folder per class, or fill the column 'label'.",
            reason="no-labels",
        )


def positions_in(classes: Sequence[str], names: pa.Array) -> npt.NDArray[np.int32]:
    """Return the position of each name in the class list, shape [N]; -1 for null and unknown."""
    found = pc.index_in(names, value_set=pa.array(classes, pa.string()), skip_nulls=True)
    positions: npt.NDArray[np.int32] = found.fill_null(UNKNOWN).to_numpy(zero_copy_only=False)
    return positions


def names_at(classes: Sequence[str], positions_N: npt.NDArray[np.int32]) -> pa.Array:
    """Return the class names at these positions, text [N]; null where the position is -1."""
    known_N = positions_N != UNKNOWN
    indices = pa.array(np.where(known_N, positions_N, 0), mask=~known_N)
    return pa.array(classes, pa.string()).take(indices)


def room_for_probabilities(rows: int, num_classes: int) -> npt.NDArray[np.float32]:
    """Return an array of float32 [N, K] to be filled.

    Up to 1 GiB it lies in memory. Above, it lies in an unnamed temporary file, whose pages the
    operating system takes back when memory is short: 1.3 million pictures by 1,000 classes are
    5 GB on disk and not in memory. The file goes with the array, or with the process.
    """
    if rows * num_classes * 4 <= _MOST_BYTES_IN_MEMORY:
        return np.zeros((rows, num_classes), dtype=np.float32)
    with tempfile.TemporaryFile(prefix="imageloom-scores-") as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=(rows, num_classes))
