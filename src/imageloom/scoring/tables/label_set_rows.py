"""The rows of a file of label sets, part by part, every cell checked on the way into a table.

Legend: N pictures, R rows of a part, K labels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.errors import (
    ImageloomError,
    NotExpectedLabelColumnError,
    NotScoredDatasetError,
)
from imageloom.scoring.tables.cells import Cells
from imageloom.scoring.tables.checks import Part, check_probabilities_alone
from imageloom.scoring.tables.label_set_table import LABELS, SCORED_SET, LabelSetTable
from imageloom.scoring.tables.scored_table import (
    FILE,
    PROBABILITY,
    positions_in,
    room_for_probabilities,
)
from imageloom.scoring.tables.source import Chunk
from imageloom.system.wording import some

_ROUNDED: Final = 0.01  # tables of others round to a few digits


class LabelSetRows:
    """Gathers the parts of a file into one table.

    Args:
        path: The file, for messages.
        names: Its columns, in order; those a table of label sets needs are among them.
        classes: The labels.
        count: Rows in all.
    """

    def __init__(
        self, path: Path, names: Sequence[str], classes: tuple[str, ...], *, count: int
    ) -> None:
        self._path = path
        self._classes = classes
        self._column = {name: index for index, name in enumerate(names)}
        self._files: list[pa.Array] = [pa.array([], pa.string())]
        is_labelled = LABELS in self._column
        self._labels_NK = np.zeros((count, len(classes)), np.bool_) if is_labelled else None
        self._predicted_NK = np.zeros((count, len(classes)), np.bool_)
        self._probabilities_NK = room_for_probabilities(count, len(classes))
        self._done = 0

    def add(self, chunk: Chunk) -> None:
        """Take over the next rows.

        Raises:
            NotScoredDatasetError: A cell is no score; the message names row and column.
            NotExpectedLabelColumnError: A label is none of the table's.
        """
        cells = Cells(chunk, self._column, self._part)
        files = cells.text(FILE)
        rows = slice(self._done, self._done + len(files))
        for index, name in enumerate(self._classes):
            self._probabilities_NK[rows, index] = cells.numbers(PROBABILITY + name)
        check_probabilities_alone(self._probabilities_NK[rows], self._classes, self._part)
        self._predicted_NK[rows] = self._sets(cells, SCORED_SET, NotScoredDatasetError)
        if self._labels_NK is not None:
            self._labels_NK[rows] = self._sets(cells, LABELS, NotExpectedLabelColumnError)
        self._files.append(files)
        self._done += len(files)

    def table(
        self,
        *,
        thresholds: tuple[float, ...] | None,
        root: Path | None,
        model_digest: str,
        left_out: Mapping[str, int],
    ) -> LabelSetTable:
        """Return all rows.

        Raises:
            NotScoredDatasetError: No threshold gives the labels that pictures were given.
        """
        for index, name in enumerate(self._classes):
            self._check_threshold(index, name)
        return LabelSetTable(
            files=pa.concat_arrays(self._files),
            labels_NK=self._labels_NK,
            classes=self._classes,
            predicted_NK=self._predicted_NK,
            probabilities_NK=self._probabilities_NK,
            thresholds=thresholds,
            root=root,
            model_digest=model_digest,
            left_out=left_out,
        )

    @property
    def _part(self) -> Part:
        return Part(self._path, self._done + 1)

    def _check_threshold(self, index: int, name: str) -> None:
        given_N, values_N = self._predicted_NK[:, index], self._probabilities_NK[:, index]
        if not given_N.any() or given_N.all():
            return
        lowest, highest = values_N[given_N].min(), values_N[~given_N].max()
        if highest - lowest > _ROUNDED:
            row = int(np.flatnonzero(given_N)[np.argmin(values_N[given_N])])
            raise NotScoredDatasetError(
                f"{Part(self._path, 1).row(row)}, column {SCORED_SET!r} gives the label {name!r} "
                f"at probability {lowest:.4f}, but another row with {highest:.4f} was not given "
                "it.",
                hint="Are the columns in another order than their names? Score the pictures again.",
                reason="no-threshold",
                details=Part(self._path, 1).details(row, SCORED_SET),
            )

    def _sets(self, cells: Cells, name: str, error: type[ImageloomError]) -> npt.NDArray[np.bool_]:
        """Return which labels the sets of a column hold, bool [R, K]."""
        sets = cells.sets(name)
        sets_RK = np.zeros((len(sets), len(self._classes)), np.bool_)
        rows = pc.list_parent_indices(sets).to_numpy(zero_copy_only=False)
        labels = sets.flatten()
        positions = positions_in(self._classes, labels)
        foreign = np.flatnonzero(positions < 0)
        if len(foreign):
            row, label = int(rows[foreign[0]]), labels[int(foreign[0])].as_py()
            raise error(
                f"{self._part.row(row)}, column {name!r} holds {label!r}, which is none of the "
                f"{len(self._classes)} scored labels ({some([*map(repr, self._classes)])}).",
                hint="Correct the label, or score the pictures again.",
                reason="unknown-class",
                details=self._part.details(row, name),
            )
        sets_RK[rows, positions] = True
        return sets_RK
