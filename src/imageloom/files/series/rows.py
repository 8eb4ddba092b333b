"""Rows of a curve as bytes, and what a block of them comes to. docs/reference/series.md has both.

Read through memoryviews in the machine's own order of bytes, which is the files' little endian
wherever torch trains; there is no NumPy here, for a server reads this.
"""

import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

ROW_BYTES: Final = 32
BLOCK_ROWS: Final = 256  # of which the file of levels has one row
_ROW: Final = struct.Struct("<qddd")
_EXTENT: Final = struct.Struct("<ddqq")
_VALUE_COLUMN: Final = 3


class Row(NamedTuple):
    """One value of a curve.

    Attributes:
        step: Optimizer steps completed when it was taken.
        epoch: Epochs completed; fractions inside an epoch.
        time: Seconds since 1970.
        value: In the unit of the curve; NaN and infinities too.
    """

    step: int
    epoch: float
    time: float
    value: float

    def to_bytes(self) -> bytes:
        """Return the row as it stands in a file."""
        return _ROW.pack(*self)


class Extent(NamedTuple):
    """Between what values some rows lie.

    Attributes:
        min: Lowest finite value; NaN without any.
        max: Highest finite value; NaN without any.
        num_nan: Values that are no number.
        num_infinite: Values that are infinite, in either direction.
    """

    min: float
    max: float
    num_nan: int
    num_infinite: int

    def to_bytes(self) -> bytes:
        """Return the extent as it stands in a file of levels."""
        return _EXTENT.pack(*self)


def num_rows_in(file: BinaryIO) -> int:
    """Return the whole rows of an open file; one that is being written is not counted."""
    return os.fstat(file.fileno()).st_size // ROW_BYTES


def rows_between(file: BinaryIO, first: int, last: int) -> Iterator[Row]:
    """Yield the rows from number ``first``, from 0, to before ``last``, as far as they are there.

    Read by calls and not as a mapping: when a resumed training cuts the file, a mapping would end
    this process.
    """
    return map(Row._make, _ROW.iter_unpack(_read(file, first, last)))


def values_between(file: BinaryIO, first: int, last: int) -> Sequence[float]:
    """Return only the values of rows, several times as fast."""
    return memoryview(_read(file, first, last)).cast("d")[_VALUE_COLUMN::4].tolist()


def extents_between(file: BinaryIO, first: int, last: int) -> Iterator[Extent]:
    """Yield rows of a file of levels, as ``rows_between``."""
    return map(Extent._make, _EXTENT.iter_unpack(_read(file, first, last)))


def first_row_where(file: BinaryIO, num_rows: int, is_behind: Callable[[Row], bool]) -> int:
    """Return the number of the first row behind a place, or ``num_rows``; halving the rest.

    Args:
        file: The rows.
        num_rows: How many of them to look at.
        is_behind: Whether a row is; once true, it is true for all that follow.
    """
    low, high = 0, num_rows
    while low < high:
        middle = (low + high) // 2
        row = next(rows_between(file, middle, middle + 1), None)
        if row is None or is_behind(row):  # None: cut back while we look
            high = middle
        else:
            low = middle + 1
    return low


def extent_of(values: Sequence[float]) -> Extent:
    """Return between what values they lie."""
    if values and math.isfinite(sum(values)):  # nearly always, and the fastest way to know
        return Extent(min(values), max(values), 0, 0)
    finite = [value for value in values if math.isfinite(value)]
    num_nan = sum(map(math.isnan, values))
    low, high = min(finite, default=math.nan), max(finite, default=math.nan)
    return Extent(low, high, num_nan, len(values) - len(finite) - num_nan)


def joined_extent(extents: Iterable[Extent]) -> Extent:
    """Return the extent of all rows whose extents these are."""
    lows, highs, nans, infinities = zip(*extents, strict=True)
    low = min((one for one in lows if not math.isnan(one)), default=math.nan)
    high = max((one for one in highs if not math.isnan(one)), default=math.nan)
    return Extent(low, high, sum(nans), sum(infinities))


def _read(file: BinaryIO, first: int, last: int) -> bytes:
    # What is asked for decides how much memory the system is asked for.
    first, last = max(0, first), min(last, num_rows_in(file))
    content = os.pread(file.fileno(), max(0, last - first) * ROW_BYTES, first * ROW_BYTES)
    return content[: len(content) - len(content) % ROW_BYTES]
