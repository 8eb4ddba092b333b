"""Open a Parquet file that may come from a stranger."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError

_BUFFER_BYTES: Final = 1024 * 1024  # read at a time, so that no row group is held whole


def status_of(path: Path) -> os.stat_result:
    """Return what the system says of a file.

    Raises:
        CouldNotOpenFileError: It says nothing.
    """
    try:
        return path.stat()
    except OSError as problem:
        raise _not_readable(path, problem) from problem


@contextlib.contextmanager
def opened_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Yield a Parquet file, open; its row groups are read piece by piece.

    Raises:
        CouldNotOpenFileError: It may not be read.
        InvalidDatasetError: It is no Parquet file.
    """
    try:
        opened = path.open("rb")
    except OSError as problem:
        raise _not_readable(path, problem) from problem
    with opened:
        with naming_damage(path):
            file = pq.ParquetFile(opened, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        yield file


@contextlib.contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Turn what the library says of a file in the body into an error that names it.

    Raises:
        InvalidDatasetError: The file is damaged.
    """
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as problem:  # bad text is a ValueError
        what = " ".join(str(problem).split())[:200].rstrip(".")
        raise InvalidDatasetError(
            f"{path} is no Parquet file, or is damaged or cut short: {what}.",
            hint="Download or copy it again, or make it again.",
            reason="damaged-parquet",
        ) from problem


def _not_readable(path: Path, problem: OSError) -> CouldNotOpenFileError:
    return CouldNotOpenFileError(
        f"{path} may not be read: {problem.strerror}.", reason="not-readable"
    )
