"""The state of a training run, as every machine sees it on the storage they share."""

from pathlib import Path

from imageloom.files.locks import is_locked
from imageloom.training.run.directory import RunDirectory


class TrainingRun:
    """A run directory, looked at from outside.

    Args:
        run: The run directory.
    """

    def __init__(self, run: Path) -> None:
        self._run = RunDirectory(run)

    @property
    def is_completed(self) -> bool:
        """Whether there is nothing left to do."""
        return self._run.read().state == "completed"

    @property
    def is_written(self) -> bool:
        """Whether a process writes it, such as rank 0 of a leader that was killed."""
        return is_locked(self._run.lock)
