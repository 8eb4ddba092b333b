"""What commands tell of a run that still says it is running, though its process was killed."""

import contextlib
from pathlib import Path

from imageloom.cli.call import Call
from imageloom.cli.workspace import known_targets
from imageloom.errors import ImageloomError
from imageloom.events import Notice
from imageloom.remote.train_job import JOB_FOLDER


def tell_if_lost(call: Call, place: object) -> None:
    """Tell what ended a run that still says it is running, and let its record say so, too.

    Args:
        call: The command, which tells it.
        place: What a person named; nothing is done where it is no run directory.
    """
    if not isinstance(place, Path) or not (place / "run.json").is_file():
        return
    from imageloom.training.run.directory import RunDirectory
    from imageloom.training.run.lost import seems_lost, tell_loss

    run = RunDirectory(place)
    with contextlib.suppress(ImageloomError):  # what reads the run says what is wrong with it
        if not seems_lost(run) or _goes_on_elsewhere(place):
            return
        if loss := tell_loss(run):
            call.on_event(Notice("warning", str(loss)))


def _goes_on_elsewhere(run: Path) -> bool:
    """Whether a job of the run waits or runs on a target, where it begins or goes on by itself."""
    if not (run / JOB_FOLDER).is_dir():
        return False
    from imageloom.remote.follow_training import running_job

    return running_job(run, known_targets()) is not None
