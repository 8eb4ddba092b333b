"""What must outlive the process that submitted a job, so that another can follow and stop it."""

import contextlib
import time
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.files.publish import write_json
from imageloom.targets.slurm.script import EXIT_FILE, STOP_FILE

SUBMISSION_FILE: Final = "slurm.json"


class Submission(BaseModel):
    """A job that was submitted, or was about to be.

    Attributes:
        name: Its name in the queue, which no other job has.
        id: Its number; empty until Slurm has given one.
        cluster: Where it is; empty for the cluster of the machine that submitted it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    id: str = ""
    cluster: str = ""


def write_submission(folder: Path, submission: Submission) -> None:
    """Write down a job.

    Raises:
        FailedToWriteOutputsError: The folder cannot be written.
    """
    write_json(folder / SUBMISSION_FILE, submission.model_dump())


def read_submission(folder: Path) -> Submission | None:
    """Return what was written down, or None when nothing was.

    Raises:
        OSError: It cannot be read now, which says nothing of the job.
    """
    try:
        return Submission.model_validate_json((folder / SUBMISSION_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def forget_submission(folder: Path) -> None:
    """Remove what was written down of a job that there is not."""
    (folder / SUBMISSION_FILE).unlink(missing_ok=True)


def submission_age_s(folder: Path) -> float:
    """Return how long ago a job was written down, by this machine's clock.

    Raises:
        OSError: As ``read_submission``.
    """
    return time.time() - (folder / SUBMISSION_FILE).stat().st_mtime


def read_exit_code(folder: Path) -> int | None:
    """Return the exit code that the batch script wrote last, or None when it wrote none."""
    with contextlib.suppress(OSError):
        list(folder.iterdir())  # has network file systems look for what is new
    with contextlib.suppress(OSError, ValueError):
        return int((folder / EXIT_FILE).read_text(encoding="ascii"))
    return None


def forget_earlier_end(folder: Path) -> None:
    """Remove what an earlier job left in the folder about its end."""
    for name in (EXIT_FILE, STOP_FILE):
        (folder / name).unlink(missing_ok=True)
