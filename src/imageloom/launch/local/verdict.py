"""What the ends of all ranks mean: whose error it is, and whether another start may help."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imageloom.errors import (
    ImageloomError,
    ModuleOutOfMemoryError,
    RunInterruptedError,
    WorkerLostError,
)
from imageloom.events import CancelToken
from imageloom.launch.local.blame import RankEnd, first_failure
from imageloom.launch.local.report import error_of
from imageloom.launch.local.watch import log_of
from imageloom.system.machine import signal_name


@dataclass(frozen=True)
class RanksFailed:
    """Why the ranks did not do their work.

    Attributes:
        error: What to raise; the message names the rank that failed first.
        may_be_repeated: Whether another start may help.
    """

    error: ImageloomError
    may_be_repeated: bool


def judge(
    ends: Sequence[RankEnd], logs: Path, cancel: CancelToken, *, ran_out_of_memory: bool
) -> RanksFailed | None:
    """Return why the ranks did not do their work, or None if they did.

    Args:
        ends: How each rank ended, in the order of ranks.
        logs: Folder of their logs.
        cancel: Whether somebody asked all to stop. It is set here when somebody asked a rank
            itself, as schedulers do.
        ran_out_of_memory: Whether this machine ended processes for want of memory meanwhile.
    """
    if is_completed(ends):
        return None
    failure = first_failure(ends)
    is_own_error = failure is not None and failure.is_own_error
    if cancel.is_set and not is_own_error:
        return RanksFailed(_interruption(ends, cancel), may_be_repeated=False)
    if failure is None:
        # Somebody sent a signal to a rank; it told the others, and all of them stopped.
        reasons = [end.answer.reason for end in ends if end.answer is not None]
        cancel.set(next((reason for reason in reasons if reason), "somebody"))
        return RanksFailed(_interruption(ends, cancel), may_be_repeated=False)
    error = _error(failure, len(ends), logs, ran_out_of_memory=ran_out_of_memory)
    # A rank's own error would be raised again, but for that of having lost a process it needed.
    return RanksFailed(
        error, may_be_repeated=not is_own_error or isinstance(error, WorkerLostError)
    )


def is_completed(ends: Sequence[RankEnd]) -> bool:
    """Whether the work is done: rank 0 leaves last and writes what the run leaves behind."""
    first = ends[0].answer
    return first is not None and first.state == "completed"


def _interruption(ends: Sequence[RankEnd], cancel: CancelToken) -> RunInterruptedError:
    answers = [end.answer for end in ends if end.answer is not None]
    if len(answers) == len(ends) and all(answer.state != "failed" for answer in answers):
        told = error_of(answers[0], rank_name="")
        if isinstance(told, RunInterruptedError):
            return told.asked_by(cancel.reason)  # we asked the ranks by SIGTERM, whatever asked us
    return RunInterruptedError.stopped_by(
        cancel.reason,
        hint="Not all ranks ended in time, so what came after the last checkpoint is lost.",
    )


def _error(
    failure: RankEnd, world_size: int, logs: Path, *, ran_out_of_memory: bool
) -> ImageloomError:
    name = f"Rank {failure.rank} of {world_size}"
    log = log_of(logs, failure.rank)
    if failure.answer is not None and not failure.hangs:
        error = error_of(failure.answer, rank_name=name)
        error.details["traceback"] = failure.answer.traceback.splitlines()
    elif failure.lost_with:
        error = WorkerLostError(
            f"{name} was lost with its machine: {failure.lost_with}.",
            hint="Does that machine still run, and is the network between them whole?",
            reason="node-lost",
        )
    elif failure.exit_code == -signal.SIGKILL and ran_out_of_memory:
        error = ModuleOutOfMemoryError(
            f"{name} was ended because the machine ran out of memory.",
            hint="Use a smaller --batch-size, fewer --processes-per-node or fewer --workers.",
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
    if failure.fell_silent:
        return "fell silent without a word: it was killed or hangs, or its machine was lost"
    if failure.hangs or code is None:
        return "did not go on, so it was ended; where all ranks were stands in their logs"
    if code < 0:
        return f"was killed by signal {-code} ({signal_name(-code)})"
    return f"ended with exit code {code} and no word"
