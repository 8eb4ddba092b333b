"""Trains a prepared run on several processes of this machine."""

import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom.distributed.group import DEFAULT_TIMEOUT_S, TIMEOUT_VARIABLE
from imageloom.distributed.store import hosted_store
from imageloom.errors import ImageloomError, RunInterruptedError
from imageloom.events import CancelToken, EventSink, Notice, ignore_events
from imageloom.launch.attempts import RankJob, run_ranks
from imageloom.launch.params import require_processes
from imageloom.launch.watch import Patience
from imageloom.machine import available_cores
from imageloom.training.events import driver_log
from imageloom.training.run_directory import RunDirectory, now
from imageloom.training.train import TrainResult, read_result

logger = logging.getLogger(__name__)

# -u: what was printed before a crash is in the log. -P: a folder that a person happens to stand in
# cannot replace a module of ours by a file of the same name.
RANK_COMMAND: Final = (sys.executable, "-u", "-P", "-m", "imageloom.rank")
LAUNCHER_LOG: Final = "70_mpi_log.txt"  # the name that users of the old designer know


def launch_ranks(
    run: Path,
    *,
    processes: int,
    max_restarts: int = 0,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> TrainResult:
    """Train from a run's newest checkpoint to its end, on several processes of this machine.

    Each has a log, ``logs/70_driver_log_<rank>.txt``; what happens before and around them stands in
    ``logs/70_mpi_log.txt``.

    Args:
        run: The run directory, as ``prepare_run`` makes it or as an interrupted run left it.
        processes: How many; one for each GPU, or else each core, at most.
        max_restarts: How often all are started again when one was killed or hangs.
        on_event: Hears progress, metrics and notices.
        cancel: Stops all processes at the same step, with everything saved.

    Raises:
        LessThanOrEqualToError: The machine has fewer processing units.
        RunInterruptedError: The run was stopped; it can go on.
        WorkerLostError: A process was killed or hangs; the message says which one was the first.
        ImageloomError: As ``train``; the message says which process failed first.
    """
    require_processes(processes)
    directory = RunDirectory(run)
    if directory.read()["state"] == "completed":
        on_event(Notice("info", f"{directory.path} is completed; there is nothing to resume."))
        return read_result(run)
    directory.log.parent.mkdir(parents=True, exist_ok=True)
    job = RankJob(
        command=(*RANK_COMMAND, str(run)),
        processes=processes,
        logs=directory.log.parent,
        environment=_environment(os.environ, processes),
        store=hosted_store,
        max_restarts=max_restarts,
        patience=_patience(os.environ),
    )
    with driver_log(directory.log.parent / LAUNCHER_LOG):
        try:
            run_ranks(job, on_event=on_event, cancel=cancel or CancelToken())
        except ImageloomError as error:
            _record(directory, error)
            raise
        except BaseException:  # Ctrl+C, where nobody made it ask for a stop
            directory.update(state="interrupted", ended=now())
            raise
    return read_result(run)


def _record(run: RunDirectory, error: ImageloomError) -> None:
    """Write how the run ended into its record: rank 0 may have had no time, or known less."""
    if isinstance(error, RunInterruptedError):
        run.update(state="interrupted", ended=now())
    elif error.reason != "locked":  # then the record is somebody else's
        run.update(state="failed", ended=now())
        run.write_error(error)


def _environment(environment: Mapping[str, str], processes: int) -> dict[str, str]:
    """Return the variables of every rank.

    Without a number of threads each rank would start one for every core, and they would wait for
    one another.
    """
    return {
        "OMP_NUM_THREADS": str(max(1, available_cores() // processes)),
        # What ranks say to each other stays on this machine, whatever its own name leads to.
        "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
        **environment,
    }


def _patience(environment: Mapping[str, str]) -> Patience:
    hang_s = DEFAULT_TIMEOUT_S
    with contextlib.suppress(ValueError):  # each rank refuses what is no number, by its name
        hang_s = float(environment.get(TIMEOUT_VARIABLE) or DEFAULT_TIMEOUT_S)
    return Patience(hang_s=hang_s)
