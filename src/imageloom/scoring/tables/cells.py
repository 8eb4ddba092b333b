"""The cells of a part of a table by their column, each of the kind that it must be.

Legend: R rows of the part.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.errors import NotScoredDatasetError
from imageloom.scoring.tables.checks import Part
from imageloom.scoring.tables.source import BadCellError, Chunk


@dataclass(frozen=True)
class Cells:
    """Reads columns of one part; a cell of another kind is an error with its row and column.

    Attributes:
        chunk: The part.
        column: Place of each column by its name.
        part: Where the rows stand in the file.
    """

    chunk: Chunk
    column: Mapping[str, int]
    part: Part

    def text(self, name: str) -> pa.Array:
        """Return a column of text, none of it missing, shape [R].

        Raises:
            NotScoredDatasetError: A cell is empty or no text.
        """
        try:
            values = self.chunk.text(self.column[name])
        except BadCellError as bad:
            raise self._bad(name, bad, "text") from None
        if values.null_count:
            row = int(np.argmin(values.is_valid().to_numpy(zero_copy_only=False)))
            raise self._bad(name, BadCellError(row, "nothing"), "text")
        return values

    def numbers(self, name: str) -> npt.NDArray[np.float32]:
        """Return a column of numbers, shape [R]; whether they lie in 0..1 is for others to check.

        Raises:
            NotScoredDatasetError: A cell is no number.
        """
        try:
            return self.chunk.numbers(self.column[name])
        except BadCellError as bad:
            hint = "Numbers have a point, as in 0.25."
            raise self._bad(name, bad, "a number between 0 and 1", hint) from None

    def sets(self, name: str) -> pa.Array:
        """Return a column of lists of text, shape [R].

        Raises:
            NotScoredDatasetError: A cell is no such list.
        """
        try:
            return self.chunk.sets(self.column[name])
        except BadCellError as bad:
            raise self._bad(name, bad, "lists of labels") from None

    def _bad(
        self, name: str, bad: BadCellError, expected: str, hint: str = ""
    ) -> NotScoredDatasetError:
        return NotScoredDatasetError(
            f"{self.part.row(bad.row)}, column {name!r} holds {bad.found}, but must hold "
            f"{expected}.",
            hint=hint,
            reason="bad-cell",
            details=self.part.details(bad.row, name),
        )
