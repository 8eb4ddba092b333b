"""A run's folder: what lies where in it, its record, and who may write to it."""

import contextlib
import os
import platform
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import (
    CannotResumeError,
    FailedToWriteOutputsError,
    ImageloomError,
    OutputInUseError,
)
from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.files.publish import write_json
from imageloom.files.series.names import SERIES_FOLDER
from imageloom.resume_command import Resume
from imageloom.training.run.record import TrainingRecord, read_run_record

TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"  # UTC


@dataclass(frozen=True)
class RunDirectory:
    """Paths inside a run's folder.

    ``run.json`` is the record; ``events.jsonl`` the metrics; ``series/`` the curves of all steps;
    ``model/`` the published model, there when at least one epoch was completed; the rest is what a
    resume needs.
    """

    path: Path

    @property
    def record(self) -> Path:
        """What was asked, what was resolved, and how it ended."""
        return self.path / "run.json"

    @property
    def events(self) -> Path:
        """One JSON object per metric value."""
        return self.path / "events.jsonl"

    @property
    def series(self) -> Path:
        """What every step measured, for ``imageloom.files.series.read``."""
        return self.path / SERIES_FOLDER

    @property
    def lock(self) -> Path:
        """Held by the process that writes here."""
        return self.path / "run.lock"

    @property
    def launch_lock(self) -> Path:
        """Held by what started the processes that train, when there are several."""
        return self.path / "launch" / "lock"

    @property
    def last_holder(self) -> str:
        """Who writes here, or wrote last, in words."""
        with contextlib.suppress(OSError):
            return self.lock.read_text(encoding="utf-8", errors="replace") or "unknown"
        return "unknown"

    @property
    def log(self) -> Path:
        """The log of the main process, under the name that users of the old designer know."""
        return self.log_of(0)

    def log_of(self, rank: int) -> Path:
        """The log of one process."""
        return self.path / "logs" / f"70_driver_log_{rank}.txt"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The trained model directory."""
        return self.path / "model"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    @property
    def scores(self) -> Path:
        """Scores of the validation pictures by the published model."""
        return self.path / "validation_scores.parquet"

    @property
    def error(self) -> Path:
        """What went wrong, when it did."""
        return self.path / "error_info.json"

    @property
    def training_images(self) -> Path:
        """The training image directory as it was at the start; its pictures lie elsewhere."""
        return self.path / "training_images"

    @property
    def validation_images(self) -> Path:
        """The validation image directory as it was at the start."""
        return self.path / "validation_images"

    @property
    def resume(self) -> Resume:
        """How to go on, as far as the run itself knows."""
        return Resume(str(self.path))

    @property
    def nothing_to_resume(self) -> str:
        """What a person is told who goes on with a completed run, and how to learn on from it."""
        words = ["imageloom", "train", "--model", f"{self.path}"]
        words += ["--train", f"{self.training_images}"]
        words += ["--validation", f"{self.validation_images}", "--out", f"{self.path}-2"]
        return (
            f"{self.path} is completed; there is nothing to resume. To go on learning from its "
            f"model: {shlex.join(words)}"
        )

    @property
    def is_completed(self) -> bool:
        """Whether there is nothing left to do; raises as ``read``."""
        return self.read().state == "completed"

    @property
    def is_written(self) -> bool:
        """Whether a process writes here, of this machine or of another one that shares it."""
        return is_locked(self.lock)

    def read(self) -> TrainingRecord:
        """Return the record.

        Raises:
            CannotResumeError: The folder is no run directory, or its record was changed.
        """
        if not self.record.is_file():
            raise CannotResumeError(
                f"{self.path} is not a run directory: it holds no run.json.",
                hint="Give the folder that 'imageloom train' wrote with --out.",
                reason="no-run",
            )
        return read_run_record(self.record)

    def write(self, record: TrainingRecord) -> None:
        """Write the record in one step."""
        write_json(self.record, record.to_json())

    def update(self, **changes: object) -> None:
        """Replace values of the record in one step."""
        self.write(self.read().replace(**changes))

    def write_error(self, error: ImageloomError) -> None:
        """Write ``error_info.json``."""
        write_json(self.error, error.to_json())

    def disappearance(self) -> FailedToWriteOutputsError | None:
        """Return the error of a training whose folder was taken away meanwhile; None if it is here.

        Nothing must be written then: the folder would come back, with nothing to go on from.
        """
        if self.record.is_file():
            return None
        return FailedToWriteOutputsError(
            f"The run directory {self.path} disappeared while it was trained.",
            hint="Was it deleted or moved? A moved one goes on from its last checkpoint with "
            "'imageloom train --resume' and its new place.",
            reason="run-gone",
        )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes of this machine from writing here.

        The lock is the operating system's: it ends with the process, however that ends.

        Raises:
            OutputInUseError: Another process holds it; the message names it.
            FailedToWriteOutputsError: The lock's file cannot be written.
        """
        lock = try_lock(self.lock, f"process {os.getpid()} on {platform.node()}")
        if lock is None:
            raise OutputInUseError(
                f"{self.path} is being written by {holder(self.lock) or 'another process'}.",
                hint="Wait for it, stop it, or choose another place with --out.",
                reason="locked",
            )
        try:
            yield
        finally:
            release(lock)


def now() -> str:
    """Return the present time, UTC, as ISO 8601."""
    return time.strftime(TIME_FORMAT, time.gmtime())
