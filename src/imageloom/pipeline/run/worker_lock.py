"""The lock of a worker that could inherit none, because it runs on another machine."""

import time
from pathlib import Path
from typing import Final

from imageloom.events import CancelToken
from imageloom.files.locks import try_lock
from imageloom.pipeline.run.job_folder import read_job
from imageloom.pipeline.run.jobs import lock_note
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import LOCK_WANTED_FILE

_ASK_S: Final = 0.1


def take_lock(folder: Path, cancel: CancelToken) -> int | None:
    """Take the lock of the result that a job makes; it is held until this process ends.

    Its target may hold it for us, and lets go when it finds ``LOCK_WANTED_FILE``. Another run may
    hold it as well, when our executor died while the job was in a queue; then that run's worker
    makes the result first.

    Returns:
        The descriptor that holds the lock. None: it is not held, and nothing may be made, because
        somebody asked to stop, or because ``job.json`` cannot be read.

    Raises:
        FailedToWriteOutputsError: The lock cannot be made.
    """
    job = read_job(folder)
    if job is None:
        return None  # the worker says so, with the reason
    place = Workspace(Path(job.workspace)).work_lock(job.key)
    while not cancel.is_set:
        lock = try_lock(place, lock_note(job.run_id, job.node_id))
        if lock is not None:
            return lock
        (folder / LOCK_WANTED_FILE).touch()
        time.sleep(_ASK_S)
    return None
