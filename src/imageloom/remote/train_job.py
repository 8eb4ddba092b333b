"""The process that leads a training on a target: ``python -m imageloom.remote.train_job FOLDER``.

It tells its progress, metrics and notices in the folder's ``events.jsonl``, and an error in its
``error_info.json``. Started again, it goes on from the run's newest checkpoint.
"""

import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from imageloom.errors import (
    ImageloomError,
    RunInterruptedError,
    any_error,
    printable,
)
from imageloom.events import CancelToken
from imageloom.files.event_lines import EventWriter
from imageloom.files.publish import write_json
from imageloom.launch.params import LaunchParams
from imageloom.spec.job import ERROR_FILE, EVENTS_FILE, LOG_FILE
from imageloom.system.pandas_left_out import leave_pandas_out
from imageloom.system.process_entry import end, listen, log_to_stderr

logger = logging.getLogger("imageloom.remote.train_job")  # __name__ is __main__

JOB_FOLDER: Final = "job"  # in the run directory
TRAIN_JOB_FILE: Final = "train_job.json"
STOPPED_EXIT: Final = 128 + signal.SIGTERM
_NO_NAME: Final = f"This has no name yet. The traceback is in {LOG_FILE}."


class TrainJob(BaseModel):
    """What is asked.

    Attributes:
        run: Absolute folder of the run.
        launch: On how many machines and processes.
        target: Name of the target, for whoever looks for the job later.
        events_begin: Byte of the file of events at which this job's begin.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    launch: LaunchParams
    target: str
    events_begin: int = 0


def main(folder: Path) -> int:
    """Train as ``train_job.json`` asks; return the exit code."""
    cancel = CancelToken()
    listen(cancel.set)
    leave_pandas_out(os.environ)
    log_to_stderr()
    (folder / ERROR_FILE).unlink(missing_ok=True)
    events = EventWriter(folder / EVENTS_FILE)
    target = ""
    try:
        job = TrainJob.model_validate_json((folder / TRAIN_JOB_FILE).read_bytes())
        target = job.target
        from imageloom.launch.train import resume

        # Trackers have their tokens where the command was typed, and follow the run from there.
        resume(job.run, launch=job.launch, track=(), on_event=events, cancel=cancel)
    except RunInterruptedError as problem:
        logger.info("%s", problem)
        _tell_error(folder, problem, target)
        return STOPPED_EXIT
    except Exception as problem:  # noqa: BLE001 - whatever it was is reported to who asked
        logger.error("%s", printable("".join(traceback.format_exception(problem))))
        _tell_error(folder, any_error(problem, _NO_NAME), target)
        return 1
    finally:
        events.close()
    return 0


def _tell_error(folder: Path, error: ImageloomError, target: str) -> None:
    if error.resume is not None:  # whoever reads the file itself goes on where the job ran
        error.resume = error.resume.knowing(target=target)
    if folder.is_dir():  # a run that was deleted meanwhile must not come back
        write_json(folder / ERROR_FILE, error.to_json())


if __name__ == "__main__":
    end(main(Path(sys.argv[1])))
