"""Curves are written: rows appended at every step, and cut back when a training goes on."""

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from imageloom.errors import FailedToWriteOutputsError, ImageloomError, write_failure
from imageloom.files.series.names import (
    Kind,
    SeriesName,
    folder_of_rank,
    read_names,
    write_names,
)
from imageloom.files.series.rows import (
    BLOCK_ROWS,
    ROW_BYTES,
    Row,
    extent_of,
    first_row_where,
    num_rows_in,
    rows_between,
    values_between,
)

FLUSH_S: Final = 0.5  # between two writes to disk, where steps are shorter


class SeriesWriter:
    """Appends to the curves of one process.

    Files are opened, written and closed about twice a second: other machines that share the file
    system see what was written only when a file is closed. As a context manager it writes the rest
    at the end.

    Args:
        folder: Of the curves of all processes.
        names: The curves that this process has. What earlier ones wrote stays.
        rank: Which process this is; each has files of its own.
        error: The class to raise where ``names.json`` was changed.

    Raises:
        FailedToWriteOutputsError: The files cannot be written.
        ImageloomError: Of class ``error``.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[SeriesName],
        *,
        rank: int,
        error: type[ImageloomError],
    ) -> None:
        own = folder_of_rank(folder, rank)
        before = read_names(own, error)
        after = before.with_names(names, rank)
        if after != before:
            write_names(own, after)
        self._files = {one: _SeriesFile(own / one.file) for one in names}
        self._flush_at = 0.0

    def append(self, values: Mapping[SeriesName, float], *, step: int, epoch: float) -> None:
        """Append a row to each of some curves, with the present time.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like. What was not written yet is
                kept for the next call.
        """
        now = time.time()
        for name, value in values.items():
            self._files[name].append(Row(step, epoch, now, value))
        if time.monotonic() >= self._flush_at:
            self.flush()

    def flush(self) -> None:
        """Write what was appended, so that readers see it and it outlives this process.

        Raises:
            FailedToWriteOutputsError: As ``append``.
        """
        for file in self._files.values():
            file.flush()
        self._flush_at = time.monotonic() + FLUSH_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What ended the work matters more than that its last half second is lost.
        with contextlib.suppress(*[FailedToWriteOutputsError] if kind else []):
            self.flush()


def cut_series(
    folder: Path, *, rank: int, step: int, epochs: float, error: type[ImageloomError]
) -> None:
    """Take away the rows that a training which goes on from a checkpoint will write again.

    Readers are told by the generation in ``names.json``. Nothing happens where nothing is to be
    taken away, or where there are no curves.

    Args:
        folder: Of the curves of all processes.
        rank: Whose to cut.
        step: Optimizer steps that the checkpoint knows; rows of later steps go.
        epochs: Whole epochs that it knows; rows of later epochs go from curves of kind ``epoch``.
        error: The class to raise where ``names.json`` was changed.

    Raises:
        FailedToWriteOutputsError: The files cannot be written.
        ImageloomError: Of class ``error``.
    """
    own = folder_of_rank(folder, rank)
    names = read_names(own, error)
    kept = {
        path: num_kept
        for one in names.series
        for path in [own / one.file]
        if (num_kept := _num_kept(path, one.kind, step, epochs)) is not None
    }
    if not kept:
        return
    names = names.in_next_generation()
    write_names(own, names)
    for path, num_kept in kept.items():
        # Never more levels than rows.
        _truncate(levels_file(path), num_kept // BLOCK_ROWS)
        _truncate(path, num_kept)
    # Again, because who read in between may have seen rows of before.
    write_names(own, names.in_next_generation())


def levels_file(path: Path) -> Path:
    """Return the file that has the lowest and highest value of each 256 rows of another one."""
    return path.with_suffix(".levels")


class _SeriesFile:
    """The rows of one curve, and its levels."""

    def __init__(self, path: Path) -> None:
        self._paths = path, levels_file(path)
        self._pending = bytearray(), bytearray()
        self._block = self._begin()

    def append(self, row: Row) -> None:
        rows, levels = self._pending
        rows += row.to_bytes()
        self._block.append(row.value)
        if len(self._block) == BLOCK_ROWS:
            levels += extent_of(self._block).to_bytes()
            self._block.clear()

    def flush(self) -> None:
        for path, pending in zip(self._paths, self._pending, strict=True):
            if pending:
                _append(path, pending)

    def _begin(self) -> list[float]:
        """Cut what a killed process left torn, make up levels; return values without a level."""
        path, levels = self._paths
        num_rows = _whole_rows(path)
        num_levels = min(_whole_rows(levels), num_rows // BLOCK_ROWS)
        _truncate(path, num_rows)
        _truncate(levels, num_levels)
        if not num_rows:
            return []
        with path.open("rb") as file:
            for number in range(num_levels, num_rows // BLOCK_ROWS):
                block = values_between(file, number * BLOCK_ROWS, (number + 1) * BLOCK_ROWS)
                self._pending[1].extend(extent_of(block).to_bytes())
            return [*values_between(file, num_rows - num_rows % BLOCK_ROWS, num_rows)]


def _append(path: Path, pending: bytearray) -> None:
    """Write bytes and take what was written out of ``pending``."""
    try:
        with path.open("ab", buffering=0) as file:
            while pending:
                del pending[: file.write(pending)]
    except OSError as problem:
        kept = "Then go on: what is finished is kept."
        raise write_failure(path, problem, kept=kept) from problem


def _num_kept(path: Path, kind: Kind, step: int, epochs: float) -> int | None:
    """Return how many rows to keep of a curve; None for all."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        num_rows = num_rows_in(file)
        kept = first_row_where(
            file,
            num_rows,
            lambda row: row.step > step or (kind == "epoch" and row.epoch > epochs),
        )
        # After a loss of power, some file systems have zeros where rows were being written.
        while kept and next(rows_between(file, kept - 1, kept)).time <= 0:
            kept -= 1
    return None if kept == num_rows else kept


def _whole_rows(path: Path) -> int:
    return path.stat().st_size // ROW_BYTES if path.is_file() else 0


def _truncate(path: Path, num_rows: int) -> None:
    try:
        if path.is_file() and path.stat().st_size > num_rows * ROW_BYTES:
            os.truncate(path, num_rows * ROW_BYTES)
    except OSError as problem:
        raise write_failure(path, problem) from problem
