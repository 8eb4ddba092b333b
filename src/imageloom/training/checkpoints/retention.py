"""Which checkpoints of a run stay: the last two, and those with the best epoch of one of them."""

import contextlib
import shutil
from pathlib import Path
from typing import Final

from imageloom.errors import CannotResumeError
from imageloom.training.checkpoints.loop_state import read_checkpoint_record

KEPT: Final = 2


def all_checkpoints(folder: Path) -> list[Path]:
    """Return the published checkpoints in a folder, damaged ones too, in the order of steps."""
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def prune(folder: Path) -> None:
    """Remove the checkpoints that no resumption would use.

    Raises:
        OSError: One could not be renamed.
    """
    checkpoints = all_checkpoints(folder)
    best_of: dict[str, str] = {}  # a damaged one, which was passed over, is not counted
    for path in checkpoints:
        with contextlib.suppress(CannotResumeError):
            best_of[path.name] = read_checkpoint_record(path).state.best_checkpoint
    newest = list(best_of)[-KEPT:]
    kept = {*newest, *(best_of[name] for name in newest)}
    for path in checkpoints:
        if path.name not in kept:
            # Renamed first, so that a kill in between leaves no checkpoint that is half there.
            doomed = path.with_name(f".{path.name}.removed")
            path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
    for left in folder.glob(".*.removed"):
        shutil.rmtree(left, ignore_errors=True)
