"""What became of a run whose process was killed: it wrote nothing, so whoever looks next does.

The kernel gives the run's locks free when their holders end, however they end. A record that says
"running" while nobody holds them is therefore wrong.
"""

import contextlib
import dataclasses
import logging
import time

from pydantic import JsonValue, TypeAdapter, ValidationError

from imageloom.errors import (
    ImageloomError,
    ModuleOutOfMemoryError,
    WorkerLostError,
)
from imageloom.files.locks import is_locked, while_free
from imageloom.system.machine import OomRecord, oom_record
from imageloom.system.wording import count
from imageloom.training.run.directory import TIME_FORMAT, RunDirectory, now
from imageloom.training.run.events import driver_log

logger = logging.getLogger(__name__)


def mark_of_process() -> dict[str, JsonValue]:
    """Return what the record of a run that begins tells of the process that writes it."""
    return dataclasses.asdict(oom_record())


def tell_loss(run: RunDirectory) -> ImageloomError | None:
    """Write down how a run ended that says it is running though nobody is at it.

    A run that nobody ever began, as one that waits for its turn on a target, has not ended. One
    that cannot be written is told all the same.

    Returns:
        What ended it, as it now stands in ``error_info.json``; None when there is nothing to tell.
    """
    if not seems_lost(run):
        return None
    with contextlib.ExitStack() as stack:
        try:
            is_free = stack.enter_context(while_free(run.lock))
        except OSError:  # a file system without locks: nobody can say who is at it
            return None
        if not is_free or not seems_lost(run):
            return None
        error = _loss(run)
        with contextlib.suppress(ImageloomError, OSError):
            run.update(state="failed", ended=_last_sign(run))
            run.write_error(error)
            with driver_log(run.log):
                logger.error("%s %s", error.title, error)
    return error


def seems_lost(run: RunDirectory) -> bool:
    """Whether a run was begun and says it is running, and no launcher looks after it."""
    began = run.lock.is_file()
    return began and run.read().state == "running" and not is_locked(run.launch_lock)


def _loss(run: RunDirectory) -> ImageloomError:
    record = run.read()
    who = f"The process that trained {run.path} ({run.last_holder})"
    epochs = record.epochs_done if "epochs_done" in record.model_fields_set else 0
    how_far = f"after {count(epochs, 'epoch')}" if epochs else "in its first epoch"
    before = _oom_record(record.process)
    kills = 0 if before is None else before.kills_since
    if kills:
        return ModuleOutOfMemoryError(
            f"{who} was killed {how_far}, for want of memory: the kernel has ended "
            f"{count(kills, 'process', 'processes')} of its control group since it began.",
            hint="Give it more memory and go on from the last checkpoint, or start anew with a "
            "smaller --batch-size or fewer --workers.",
            reason="host-memory",
            details={"oom_kills": kills},
            resume=run.resume,
        )
    anew = before is not None and before.boot not in ("", oom_record().boot)
    cause = "ended when its machine was started anew" if anew else "was killed"
    if not anew:
        how_far += ", perhaps for want of memory"
    return WorkerLostError(
        f"{who} {cause} {how_far}.",
        hint=f"What it did last stands in {run.log}. It goes on from its last checkpoint.",
        reason="lost",
        resume=run.resume,
    )


def _oom_record(content: object) -> OomRecord | None:
    """Return what a process left in the record; None where an earlier version began the run."""
    with contextlib.suppress(ValidationError):
        return TypeAdapter(OomRecord).validate_python(content)
    return None


def _last_sign(run: RunDirectory) -> str:
    """Return when the run was last written to, as far as its files tell."""
    times = []
    for file in (run.record, run.events, run.log):
        with contextlib.suppress(OSError):
            times.append(file.stat().st_mtime)
    return time.strftime(TIME_FORMAT, time.gmtime(max(times))) if times else now()
