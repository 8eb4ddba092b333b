"""A training of its own run directory is tracked."""

import contextlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from imageloom.errors import ImageloomError
from imageloom.events import Control, Notice
from imageloom.tracking.beside import tracked
from imageloom.tracking.choose import require_trackers
from imageloom.tracking.place import Tracked
from imageloom.tracking.position import remembered_trackers
from imageloom.tracking.training_files import TrainingFiles
from imageloom.training.run.directory import RunDirectory


def tracked_run(path: Path) -> Tracked:
    """Return a run directory as trackers know it."""
    run = RunDirectory(path)
    return Tracked(name=run.path.name, folder=run.path, places=(files_of(run),))


def files_of(run: RunDirectory) -> TrainingFiles:
    """Return the files of a run directory that a tracker reads."""
    return TrainingFiles(record=run.record, series=run.series, report=run.report, model=run.model)


def trackers_going_on(path: Path, control: Control) -> list[str]:
    """Return the trackers that a run remembers, without those that lack something now.

    Nobody asked for these this time, so the training goes on without, and a person is told.
    """
    names = []
    for name in remembered_trackers(path):
        try:
            require_trackers([name], os.environ)
        except ImageloomError as error:
            later = shlex.join(["imageloom", "track", str(path)])
            text = f"{error.message} {error.hint} The training goes on; then catch up with: {later}"
            control.tell(Notice("warning", text))
        else:
            names.append(name)
    return names


def tracking(
    path: Path, names: Sequence[str], control: Control
) -> contextlib.AbstractContextManager[None]:
    """Have trackers follow the training of a run directory while the body trains."""
    catch_up = shlex.join(["imageloom", "track", str(path)])
    return tracked(tracked_run(path), names, catch_up=catch_up, control=control)
