"""Starts all ranks, and starts them again where that may help, until their work is done."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, Self

from imageloom.errors import ImageloomError, RunInterruptedError
from imageloom.events import Control, Notice
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.verdict import is_completed, judge
from imageloom.launch.local.watch import Patience
from imageloom.system.machine import count_oom_kills

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RankJob:
    """What several ranks do together.

    Attributes:
        command: The program of a rank; its environment says which one it is.
        logs: Folder of their logs.
        environment: Variables of every rank, beside those that say which one it is.
        patience: How long they may take.
    """

    command: Sequence[str]
    logs: Path
    environment: Mapping[str, str]
    patience: Patience = field(default_factory=Patience)

    def with_variables(self, variables: Mapping[str, str]) -> Self:
        """Return the same job with variables in its ranks' environment where it has no others."""
        return replace(self, environment={**variables, **self.environment})


class Crew(Protocol):
    """The machines on which the ranks of a job run: this one alone, or several."""

    def start(self, job: RankJob, control: Control) -> list[RankEnd]:
        """Start all ranks once; return how each ended, in the order of ranks.

        Raises:
            ImageloomError: They could not be started.
        """

    def change(self, ends: Sequence[RankEnd]) -> str:
        """Return which machine came or went, so that the ranks must start anew; empty if none.

        Half a sentence, of what was told already when it happened.
        """


def run_ranks(
    job: RankJob,
    crew: Crew,
    *,
    max_restarts: int = 0,
    resume_words: Sequence[str] = (),
    control: Control,
) -> None:
    """Return when rank 0 has done its work; no process of the job is left then or on an error.

    Args:
        job: What to do.
        crew: Where.
        max_restarts: How often the ranks are started again when one was killed or hangs.
        resume_words: How a run goes on as it did, for errors of ranks, which do not know that.
        control: Hears the events of rank 0, and notices of restarts; asks all ranks to save and
            stop. It is asked here when somebody asked a rank itself, as schedulers do.

    Raises:
        RunInterruptedError: Somebody asked to stop.
        WorkerLostError: A rank was killed or hangs, more often than the job allows.
        ModuleOutOfMemoryError: The machine ended it for want of memory.
        ImageloomError: The error of the rank that failed first; its message names the rank.
    """
    restarts = 0
    while True:
        killed_before = count_oom_kills()
        ends = crew.start(job, control)
        change = "" if is_completed(ends) or control.cancel.is_set else crew.change(ends)
        if change:
            _notice("info", f"All ranks go on from the last checkpoint: {change}.", control)
            continue
        ran_out_of_memory = count_oom_kills() > killed_before
        trouble = judge(ends, job.logs, control.cancel, ran_out_of_memory=ran_out_of_memory)
        if trouble is None:
            return
        error = trouble.error
        if error.resume is not None:
            error.resume = error.resume.knowing(launch=resume_words)
        _log(error)
        if not trouble.may_be_repeated or restarts >= max_restarts or control.cancel.is_set:
            raise error
        restarts += 1
        which = f"restart {restarts:,} of {max_restarts:,}"
        message = f"{error.message} All ranks go on from the last checkpoint ({which})."
        _notice("warning", message, control)


def _notice(level: Literal["info", "warning"], sentence: str, control: Control) -> None:
    logger.log(logging.INFO if level == "info" else logging.WARNING, "%s", sentence)
    control.tell(Notice(level, sentence))


def _log(error: ImageloomError) -> None:
    is_failure = not isinstance(error, RunInterruptedError)
    logger.log(logging.ERROR if is_failure else logging.WARNING, "%s", error)
    lines = error.details.get("traceback")
    for line in lines if isinstance(lines, list) else []:
        logger.error("%s", line)
