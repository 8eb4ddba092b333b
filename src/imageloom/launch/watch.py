"""One start of all ranks of a run on this machine, watched until the last of them is gone."""

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.event_lines import EventTail
from imageloom.events import CancelToken, EventSink
from imageloom.launch.answer import EVENTS_FILE, FOLDER_VARIABLE, read_answer
from imageloom.launch.blame import RankEnd
from imageloom.launch.rank_process import RankProcess, wait_for_any

logger = logging.getLogger(__name__)

_LOOK_S: Final = 0.1  # between two looks, unless the end of a rank wakes us
_STACKS_S: Final = 0.5  # for ranks to write down where they are


@dataclass(frozen=True)
class Patience:
    """How long ranks may take.

    Attributes:
        hang_s: A rank that is stopped (SIGSTOP) for so long hangs.
        stop_s: To save and stop when asked to.
        others_s: To end by themselves after one has failed.
    """

    hang_s: float = 300.0
    stop_s: float = 20.0
    others_s: float = 5.0


@dataclass(frozen=True)
class Start:
    """What to start.

    Attributes:
        command: The program of a rank; the environment tells it which one it is.
        processes: How many.
        folder: An empty folder for what the ranks tell us.
        logs: Folder of their logs, ``70_driver_log_<rank>.txt``.
        environment: Variables of every rank, beside those that say which one it is.
    """

    command: Sequence[str]
    processes: int
    folder: Path
    logs: Path
    environment: Mapping[str, str]


def log_of(logs: Path, rank: int) -> Path:
    """Return the log of a rank, under the name that users of the old designer know."""
    return logs / f"70_driver_log_{rank}.txt"


def watch(
    start: Start, *, on_event: EventSink, cancel: CancelToken, patience: Patience
) -> list[RankEnd]:
    """Start all ranks and return how each ended; none is left when this returns or raises.

    Args:
        start: What to start.
        on_event: Hears the events of rank 0.
        cancel: Asks all ranks to save and stop; asked twice, they are ended at once.
        patience: How long they may take.

    Raises:
        EnvironmentUnsuitableError: A process could not be started.
    """
    tail = EventTail(start.folder / EVENTS_FILE)
    with _started(start) as ranks:
        watcher = _Watcher(ranks, start.folder, cancel, patience)
        while watcher.look():
            for event in tail.read():
                on_event(event)
            wait_for_any(ranks, _LOOK_S)
    while events := tail.read():
        for event in events:
            on_event(event)
    return sorted(watcher.ends, key=lambda end: end.rank)


@contextlib.contextmanager
def _started(start: Start) -> Iterator[list[RankProcess]]:
    ranks: list[RankProcess] = []
    try:
        for rank in range(start.processes):
            log = log_of(start.logs, rank)
            environment = {**start.environment, **_place(rank, start)}
            ranks.append(RankProcess(rank, start.command, environment, log))
            logger.info("Rank %s is process %s; its log is %s.", rank, ranks[-1].pid, log.name)
        yield ranks
    finally:
        for process in ranks:
            process.end()


def _place(rank: int, start: Start) -> dict[str, str]:
    """Return the variables that torchrun gives a process, and ours.

    Source:
        https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables
    """
    count = str(start.processes)
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "GROUP_RANK": "0",
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
        FOLDER_VARIABLE: str(start.folder),
    }


class _Watcher:
    """Looks after running ranks and decides when waiting for them has become useless."""

    def __init__(
        self, ranks: list[RankProcess], folder: Path, cancel: CancelToken, patience: Patience
    ) -> None:
        self.ends: list[RankEnd] = []
        self._running = list(ranks)
        self._folder = folder
        self._cancel = cancel
        self._patience = patience
        self._asked_at: float | None = None
        self._failed_at: float | None = None

    def look(self) -> bool:
        """Note what happened and do what follows from it; return whether any rank still runs."""
        for process in [one for one in self._running if not one.look()]:
            self._note(process, hangs=False)
        if self._cancel.is_set and self._asked_at is None:
            logger.info("%s: all ranks are asked to save and stop.", self._cancel.reason)
            self._asked_at = time.monotonic()
            for process in self._running:
                process.ask_to_stop()
        if self._running and self._is_over():
            self._end_the_rest()
        return bool(self._running)

    def _is_over(self) -> bool:
        if self._cancel.asked > 1:
            return True
        if any([one.stopped_for_s() > self._patience.hang_s for one in self._running]):  # noqa: C419 - all are looked at
            return True
        return _is_past(self._asked_at, self._patience.stop_s) or _is_past(
            self._failed_at, self._patience.others_s
        )

    def _end_the_rest(self) -> None:
        """End the ranks that still run; those that others waited for in vain are said to hang."""
        stopped = [one for one in self._running if one.stopped_for_s() > self._patience.hang_s]
        waited_for = self._all_blame_others() and self._asked_at is None
        hanging = stopped or (self._running if waited_for else [])
        if self._cancel.asked <= 1:
            for process in self._running:
                process.show_stacks()
            time.sleep(_STACKS_S)
        for process in list(self._running):
            process.end()
            self._note(process, hangs=process in hanging, by_us=True)

    def _all_blame_others(self) -> bool:
        failed = [end for end in self.ends if end.failed]
        return bool(failed) and all(
            end.answer is not None and end.answer.blames_others for end in failed
        )

    def _note(self, process: RankProcess, *, hangs: bool, by_us: bool = False) -> None:
        self._running.remove(process)
        end = RankEnd(
            rank=process.rank,
            time=time.time(),
            exit_code=None if by_us else process.exit_code,
            answer=read_answer(self._folder, process.rank),
            hangs=hangs,
        )
        self.ends.append(end)
        how = f"exit code {process.exit_code}" + (", ended by the launcher" if by_us else "")
        logger.info("Rank %s is gone: %s.", process.rank, how)
        if end.failed and self._failed_at is None:
            self._failed_at = time.monotonic()


def _is_past(moment: float | None, seconds: float) -> bool:
    return moment is not None and time.monotonic() - moment > seconds
