"""What a person should know of the files of a scored table, whatever their labels."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from imageloom.errors import NotScoredDatasetError
from imageloom.system.wording import count, some


def require_rows(files: pa.Array, name: str) -> None:
    """Refuse a table without rows.

    Raises:
        NotScoredDatasetError: It has none.
    """
    if len(files) == 0:
        raise NotScoredDatasetError(
            f"The score table {name} has no rows, so there is nothing to evaluate.",
            hint="Score some pictures first, with 'imageloom score'.",
            reason="no-rows",
        )


def left_out_notice(left_out: Mapping[str, int]) -> Iterator[str]:
    """Yield how many files were left out before they were scored, and why, if any were."""
    if left_out:
        reasons = [f"{number:,}: {reason}" for reason, number in left_out.items()]
        yield (
            f"Left out, and in no figure: {count(sum(left_out.values()), 'file')} "
            f"({some(reasons)})."
        )


def repeated_notice(files: pa.Array) -> Iterator[str]:
    """Yield how many rows repeat a file of another row, if any do."""
    repeated = len(files) - len(files.unique())
    if repeated:
        yield f"Rows that repeat a file of another row: {repeated:,}. Every row counts."


def notices_on_files(files: pa.Array, left_out: Mapping[str, int]) -> Iterator[str]:
    """Yield both."""
    yield from left_out_notice(left_out)
    yield from repeated_notice(files)
