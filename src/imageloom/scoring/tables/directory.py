"""A scored table as a published directory, for steps that hand directories to each other."""

from pathlib import Path
from typing import Final

from imageloom.errors import NotScoredDatasetError
from imageloom.files.publish import publishing_directory, verify_directory
from imageloom.scoring.tables.file import AnyTable, read_any_table, write_table

SCORES: Final = "scores.parquet"


def save_scores(table: AnyTable, out: Path) -> None:
    """Publish a table as a directory.

    Raises:
        FailedToWriteOutputsError: ``out`` exists or cannot be written.
    """
    with publishing_directory(out) as partial:
        write_table(table, partial / SCORES)


def load_scores(path: Path) -> AnyTable:
    """Read such a directory, which may come from a stranger.

    Raises:
        NotScoredDatasetError: It is none, is damaged, or holds no row.
    """
    if SCORES not in verify_directory(path, NotScoredDatasetError):
        raise NotScoredDatasetError(
            f"{path} holds no {SCORES}.",
            hint="Give the output of Score Image Model.",
            reason="missing-file",
        )
    table = read_any_table(path / SCORES)
    if len(table) == 0:
        raise NotScoredDatasetError(f"{path} holds a table without rows.", reason="no-rows")
    return table
