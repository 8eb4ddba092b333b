"""Starts all ranks, and starts them again where that may help, until their work is done."""

import itertools
import logging
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from imageloom.errors import (
    ImageloomError,
    ModuleOutOfMemoryError,
    RunInterruptedError,
    WorkerLostError,
)
from imageloom.events import CancelToken, EventSink, Notice
from imageloom.launch.answer import error_of
from imageloom.launch.blame import RankEnd, first_failure
from imageloom.launch.watch import Patience, Start, log_of, watch
from imageloom.machine import count_oom_kills, signal_name
from imageloom.wording import count

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RankJob:
    """What several ranks do together.

    Attributes:
        command: The program of a rank; its environment says which one it is.
        processes: How many ranks.
        logs: Folder of their logs.
        environment: Variables of every rank, beside those that say which one it is.
        store: Keeps the store in which ranks find each other, and gives the variables that say
            where; a new one for each start, so that nothing of an earlier one is found in it.
        max_restarts: How often they are started again.
        patience: How long they may take.
    """

    command: Sequence[str]
    processes: int
    logs: Path
    environment: Mapping[str, str]
    store: Callable[[], AbstractContextManager[Mapping[str, str]]]
    max_restarts: int = 0
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class _Trouble:
    """Why the ranks did not do their work, and whether another start may help."""

    error: ImageloomError
    may_be_repeated: bool


def run_ranks(job: RankJob, *, on_event: EventSink, cancel: CancelToken) -> None:
    """Return when rank 0 has done its work; no process of the job is left then or on an error.

    Args:
        job: What to do.
        on_event: Hears the events of rank 0, and notices of restarts.
        cancel: Asks all ranks to save and stop. It is set here when somebody asked a rank itself,
            as schedulers do.

    Raises:
        RunInterruptedError: Somebody asked to stop.
        WorkerLostError: A rank was killed or hangs, more often than the job allows.
        ModuleOutOfMemoryError: The machine ended it for want of memory.
        ImageloomError: The error of the rank that failed first; its message names the rank.
    """
    for restarts in itertools.count():
        killed_before = count_oom_kills()
        ends = _start(job, on_event, cancel)
        trouble = _judge(ends, job, cancel, ran_out_of_memory=count_oom_kills() > killed_before)
        if trouble is None:
            return
        is_failure = not isinstance(trouble.error, RunInterruptedError)
        logger.log(logging.ERROR if is_failure else logging.WARNING, "%s", trouble.error)
        for line in _traceback(trouble.error):
            logger.error("%s", line)
        if not trouble.may_be_repeated or restarts >= job.max_restarts or cancel.is_set:
            raise trouble.error
        which = f"restart {restarts + 1:,} of {job.max_restarts:,}"
        sentence = f"{trouble.error.message} All ranks go on from the last checkpoint ({which})."
        logger.warning("%s", sentence)
        on_event(Notice("warning", sentence))


def _start(job: RankJob, on_event: EventSink, cancel: CancelToken) -> list[RankEnd]:
    with job.store() as place, tempfile.TemporaryDirectory(prefix="imageloom-ranks-") as folder:
        logger.info("Starting %s.", count(job.processes, "rank"))
        start = Start(
            command=job.command,
            processes=job.processes,
            folder=Path(folder),
            logs=job.logs,
            environment={**job.environment, **place},
        )
        return watch(start, on_event=on_event, cancel=cancel, patience=job.patience)


def _judge(
    ends: Sequence[RankEnd], job: RankJob, cancel: CancelToken, *, ran_out_of_memory: bool
) -> _Trouble | None:
    first = ends[0].answer
    if first is not None and first.state == "completed":
        return None  # rank 0 leaves last and writes what the run leaves behind
    failure = first_failure(ends)
    is_own_error = failure is not None and failure.is_own_error
    if cancel.is_set and not is_own_error:
        return _Trouble(_interruption(ends, cancel), may_be_repeated=False)
    if failure is None:
        # Somebody sent a signal to a rank; it told the others, and all of them stopped.
        reasons = [end.answer.reason for end in ends if end.answer is not None]
        cancel.set(next((reason for reason in reasons if reason), "somebody"))
        return _Trouble(_interruption(ends, cancel), may_be_repeated=False)
    error = _error(failure, job, ran_out_of_memory=ran_out_of_memory)
    # A rank's own error would be raised again, but for that of having lost a process it needed.
    return _Trouble(error, may_be_repeated=not is_own_error or isinstance(error, WorkerLostError))


def _interruption(ends: Sequence[RankEnd], cancel: CancelToken) -> RunInterruptedError:
    answers = [end.answer for end in ends if end.answer is not None]
    if len(answers) < len(ends) or any(answer.state == "failed" for answer in answers):
        return RunInterruptedError(
            f"Stopped by {cancel.reason}.",
            hint="Not all ranks ended in time, so what came after the last checkpoint is lost.",
            reason="cancelled",
        )
    error = answers[0].error or {}
    # We asked the ranks by SIGTERM, whatever asked us.
    asked_by = next((answer.reason for answer in answers if answer.reason), "")
    where = str(error.get("message", "")).removeprefix(f"Stopped by {asked_by}")
    return RunInterruptedError(
        f"Stopped by {cancel.reason}{where}", hint=str(error.get("hint", "")), reason="cancelled"
    )


def _error(failure: RankEnd, job: RankJob, *, ran_out_of_memory: bool) -> ImageloomError:
    name = f"Rank {failure.rank} of {job.processes}"
    log = log_of(job.logs, failure.rank)
    if failure.answer is not None and not failure.hangs:
        error = error_of(failure.answer, rank_name=name)
        error.details["traceback"] = failure.answer.traceback.splitlines()
    elif failure.exit_code == -signal.SIGKILL and ran_out_of_memory:
        error = ModuleOutOfMemoryError(
            f"{name} was ended because the machine ran out of memory.",
            hint="Use a smaller batch size, fewer processes per node or fewer workers.",
            reason="host-memory",
        )
    else:
        error = WorkerLostError(
            f"{name} {_how(failure)}.",
            hint=f"What it did last stands in {log}.",
            reason="hangs" if failure.hangs else "lost",
        )
    error.details.update(rank=failure.rank, log=str(log))
    return error


def _how(failure: RankEnd) -> str:
    code = failure.exit_code
    if failure.hangs or code is None:
        return "did not go on, so it was ended; where all ranks were stands in their logs"
    if code < 0:
        return f"was killed by signal {-code} ({signal_name(-code)})"
    return f"ended with exit code {code} and no word"


def _traceback(error: ImageloomError) -> list[str]:
    lines = error.details.get("traceback")
    return lines if isinstance(lines, list) else []
