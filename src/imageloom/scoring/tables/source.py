"""What ``read_table`` needs of a file format: columns by position, in parts."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class BadCellError(Exception):
    """A cell holds the wrong kind of value; ``read_table`` knows the column's name and tells it.

    Args:
        row: Position in the chunk, from 0.
        found: The value or the type of the whole column, as it stands in the message.
    """

    def __init__(self, row: int, found: str) -> None:
        super().__init__(found)
        self.row = row
        self.found = found


class Chunk(Protocol):
    """R rows of a file."""

    def text(self, column: int) -> pa.Array:
        """Return the column as text [R] with nulls, or raise ``BadCellError``."""

    def sets(self, column: int) -> pa.ListArray:
        """Return the column as lists of text [R], an empty list for nothing, or raise as above."""

    def numbers(self, column: int) -> npt.NDArray[np.float32]:
        """Return the column as float32 [R], NaN where empty, or raise ``BadCellError``."""


class TableSource(Protocol):
    """A file that may hold a scored table."""

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""

    @property
    def record(self) -> Mapping[str, object]:
        """What the file says about the table as a whole; empty when nothing."""

    def count_rows(self) -> int:
        """Return the number of rows."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows, in parts, in order."""
