"""The rows of a file, part by part, every cell checked on the way into a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.errors import NotExpectedLabelColumnError
from imageloom.scoring.tables.cells import Cells
from imageloom.scoring.tables.checks import (
    Part,
    check_labels,
    check_probabilities,
    check_scored_labels,
)
from imageloom.scoring.tables.scored_table import (
    FILE,
    LABEL,
    PROBABILITY,
    SCORED_LABEL,
    UNKNOWN,
    ScoredTable,
    positions_in,
    room_for_probabilities,
)
from imageloom.scoring.tables.source import BadCellError, Chunk


class TableRows:
    """Gathers the parts of a file into one table.

    Args:
        path: The file, for messages.
        names: Its columns, in order; those a scored table needs are among them.
        classes: The class list.
        count: Rows in all.
    """

    def __init__(
        self, path: Path, names: Sequence[str], classes: tuple[str, ...], *, count: int
    ) -> None:
        self._path = path
        self._classes = classes
        self._column = {name: index for index, name in enumerate(names)}
        self._files: list[pa.Array] = [pa.array([], pa.string())]
        self._labels_N = np.full(count, UNKNOWN, dtype=np.int32)
        self._predicted_N = np.empty(count, dtype=np.int32)
        self._probabilities_NK = room_for_probabilities(count, len(classes))
        self._done = 0

    def add(self, chunk: Chunk) -> None:
        """Take over the next rows.

        Raises:
            NotScoredDatasetError: A cell is no score; the message names row and column.
            NotExpectedLabelColumnError: A label is not text, or no class of the table.
        """
        cells = Cells(chunk, self._column, self._part)
        files = cells.text(FILE)
        rows = slice(self._done, self._done + len(files))
        probabilities_RK = self._probabilities_NK[rows]
        for index, name in enumerate(self._classes):
            probabilities_RK[:, index] = cells.numbers(PROBABILITY + name)
        check_probabilities(probabilities_RK, self._classes, self._part)
        scored = cells.text(SCORED_LABEL)
        predicted_R = positions_in(self._classes, scored)
        check_scored_labels(predicted_R, scored, probabilities_RK, self._part)
        self._predicted_N[rows] = predicted_R
        self._files.append(files)
        if LABEL in self._column:
            self._labels_N[rows] = self._checked_labels(chunk)
        self._done += len(files)

    @property
    def _part(self) -> Part:
        return Part(self._path, self._done + 1)

    def table(
        self, *, root: Path | None, model_digest: str, left_out: Mapping[str, int]
    ) -> ScoredTable:
        """Return all rows."""
        return ScoredTable(
            files=pa.concat_arrays(self._files),
            labels_N=self._labels_N,
            classes=self._classes,
            predicted_N=self._predicted_N,
            probabilities_NK=self._probabilities_NK,
            root=root,
            model_digest=model_digest,
            left_out=left_out,
        )

    def _checked_labels(self, chunk: Chunk) -> npt.NDArray[np.int32]:
        try:
            labels = chunk.text(self._column[LABEL])
        except BadCellError as bad:
            raise NotExpectedLabelColumnError(
                f"Column {LABEL!r} of {self._path} holds {bad.found}, but class names are text: "
                "007 is not 7.",
                hint="Write the column as text.",
                reason="not-text",
            ) from None
        labels_R = positions_in(self._classes, labels)
        check_labels(labels, labels_R, self._classes, self._part)
        return labels_R
