"""Refuse cells that are no scores: tables come from strangers too.

Legend: R rows of a part of a table, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.errors import Detail, NotExpectedLabelColumnError, NotScoredDatasetError
from imageloom.scoring.tables.scored_table import LABEL, PROBABILITY, SCORED_LABEL
from imageloom.system.wording import some


@dataclass(frozen=True)
class Part:
    """Which rows are being checked, for the message.

    Attributes:
        path: The table's file.
        first_row: Number of the part's first row, from 1, the header not counted.
    """

    path: Path
    first_row: int

    def row(self, position: int) -> str:
        """Return ``Row 3 of scores.csv`` for a position in the part, from 0."""
        return f"Row {self.first_row + position} of {self.path}"

    def details(self, position: int, column: str) -> dict[str, Detail]:
        """Return the place of a cell for programs."""
        return {"file": str(self.path), "row": self.first_row + position, "column": column}


SUM_TOLERANCE: Final = 0.01
"""How far a row's probabilities may be from 1 in all: tables of others round to a few digits."""


def check_probabilities(
    probabilities_RK: npt.NDArray[np.float32], classes: Sequence[str], part: Part
) -> None:
    """Refuse numbers that are no probabilities.

    Args:
        probabilities_RK: Part of a table.
        classes: The class list.
        part: Where these rows stand.

    Raises:
        NotScoredDatasetError: A number is not in 0..1 or a row does not add up to 1; the message
            names row and column.
    """
    check_probabilities_alone(probabilities_RK, classes, part)
    sums_R = probabilities_RK.sum(axis=1, dtype=np.float64)
    wrong_R = np.abs(sums_R - 1) > SUM_TOLERANCE
    if wrong_R.any():
        row = int(np.argmax(wrong_R))
        raise NotScoredDatasetError(
            f"{part.row(row)}: the columns {PROBABILITY + classes[0]!r} to "
            f"{PROBABILITY + classes[-1]!r} add up to {sums_R[row]:.4f}, but must add up to 1.",
            hint="Is a class's column missing? Are these logits instead of probabilities?",
            reason="bad-sum",
            details=part.details(row, PROBABILITY + classes[0]),
        )


def check_probabilities_alone(
    probabilities_RK: npt.NDArray[np.float32], classes: Sequence[str], part: Part
) -> None:
    """Refuse numbers that are no probabilities, whatever they add up to.

    Args:
        probabilities_RK: Part of a table.
        classes: The class list.
        part: Where these rows stand.

    Raises:
        NotScoredDatasetError: A number is not in 0..1; the message names row and column.
    """
    bad_RK = ~((probabilities_RK >= 0) & (probabilities_RK <= 1))  # also true for NaN
    if bad_RK.any():
        row, column = (int(position) for position in np.argwhere(bad_RK)[0])
        raise NotScoredDatasetError(
            f"{part.row(row)}, column {PROBABILITY + classes[column]!r} holds "
            f"{probabilities_RK[row, column]}, but a probability lies between 0 and 1.",
            hint="Score the pictures again, or repair the table.",
            reason="bad-probability",
            details=part.details(row, PROBABILITY + classes[column]),
        )


def check_scored_labels(
    predicted_R: npt.NDArray[np.int32],
    names: pa.Array,
    probabilities_RK: npt.NDArray[np.float32],
    part: Part,
) -> None:
    """Refuse scored labels that are not the class with the highest probability.

    Equal highest probabilities may name either class; so may those that differ by less than
    ``SUM_TOLERANCE``, which rounding can have swapped.

    Args:
        predicted_R: Positions of the scored labels, -1 where a label is no class of the table.
        names: The scored labels as they stand in the table.
        probabilities_RK: Checked probabilities.
        part: Where these rows stand.

    Raises:
        NotScoredDatasetError: The message names the row.
    """
    if (predicted_R < 0).any():
        row = int(np.argmax(predicted_R < 0))
        raise NotScoredDatasetError(
            f"{part.row(row)}, column {SCORED_LABEL!r} holds {names[row].as_py()!r}, for "
            f"which there is no column {PROBABILITY + '...'!r}.",
            hint="Score the pictures again, or repair the table.",
            reason="unknown-class",
            details=part.details(row, SCORED_LABEL),
        )
    given_R = np.take_along_axis(probabilities_RK, predicted_R[:, None], axis=1)[:, 0]
    highest_R = probabilities_RK.max(axis=1)
    wrong_R = highest_R - given_R > SUM_TOLERANCE
    if wrong_R.any():
        row = int(np.argmax(wrong_R))
        raise NotScoredDatasetError(
            f"{part.row(row)}, column {SCORED_LABEL!r} holds {names[row].as_py()!r} with "
            f"probability {given_R[row]:.4f}, but another class has {highest_R[row]:.4f}.",
            hint="Are the columns in another order than their names? Score the pictures again.",
            reason="not-highest",
            details=part.details(row, SCORED_LABEL),
        )


def check_labels(
    labels: pa.Array, labels_R: npt.NDArray[np.int32], classes: Sequence[str], part: Part
) -> None:
    """Refuse labels that are no class of the table.

    Args:
        labels: Names, null where unknown.
        labels_R: Their positions in the class list, -1 where unknown or no class.
        classes: The class list.
        part: Where these rows stand.

    Raises:
        NotExpectedLabelColumnError: The message names row and label.
    """
    foreign = np.flatnonzero((labels_R < 0) & labels.is_valid().to_numpy(zero_copy_only=False))
    if len(foreign) == 0:
        return
    row = int(foreign[0])
    raise NotExpectedLabelColumnError(
        f"{part.row(row)}, column {LABEL!r} holds {labels[row].as_py()!r}, which is none of "
        f"the {len(classes)} scored classes ({some([*map(repr, classes)])}).",
        hint="Correct the label, or leave the cell empty when the picture is of another class.",
        reason="unknown-class",
        details=part.details(row, LABEL),
    )
