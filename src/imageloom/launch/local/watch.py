"""One start of a run's ranks on this machine, watched until the last of them is gone."""

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.events import CancelToken, Control
from imageloom.files.event_lines import EventTail
from imageloom.launch.local.blame import RankEnd
from imageloom.launch.local.process import RankProcess, wait_for_any
from imageloom.launch.local.report import EVENTS_FILE, FOLDER_VARIABLE, read_answer
from imageloom.system.machine import available_cores

logger = logging.getLogger(__name__)

RANKS_FOLDER: Final = "imageloom-ranks-"  # begins the name of a folder for ranks of one start
_MAX_TEMPORARY_CHARS: Final = 70
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
class Share:
    """Which of a run's ranks are this machine's.

    Attributes:
        processes: How many.
        world_size: How many ranks there are on all machines.
        first_rank: Number of the first of ours.
        node_rank: Number of this machine.
    """

    processes: int
    world_size: int
    first_rank: int = 0
    node_rank: int = 0

    @property
    def ranks(self) -> range:
        """Their numbers."""
        return range(self.first_rank, self.first_rank + self.processes)


@dataclass(frozen=True)
class Start:
    """What to start.

    Attributes:
        command: The program of a rank; the environment tells it which one it is.
        share: Which ranks.
        folder: An empty folder for what the ranks tell us.
        logs: Folder of their logs, ``70_driver_log_<rank>.txt``.
        environment: Variables of every rank, beside those that say which one it is.
    """

    command: Sequence[str]
    share: Share
    folder: Path
    logs: Path
    environment: Mapping[str, str]


class Elsewhere:
    """The other machines of a job, as seen from this one; by default there are none.

    Another thread may note what fails there.

    Attributes:
        failed_at: When the first of them failed, by ``time.monotonic``.
        all_blame_others: Whether all that failed say no more than that another did not answer.
    """

    def __init__(self) -> None:
        self.failed_at: float | None = None
        self.all_blame_others = True

    def fail(self, *, blames_others: bool) -> None:
        """Note that one of them failed."""
        self.all_blame_others = self.all_blame_others and blames_others
        if self.failed_at is None:
            self.failed_at = time.monotonic()

    def hear(self, end: RankEnd) -> None:
        """Hear of the end of a rank of this machine, as soon as it is seen."""

    def look(self) -> None:
        """Do what must be done a few times a second."""


def log_of(logs: Path, rank: int) -> Path:
    """Return the log of a rank, under the name that users of the old designer know."""
    return logs / f"70_driver_log_{rank}.txt"


def watch(
    start: Start,
    *,
    control: Control,
    patience: Patience,
    elsewhere: Elsewhere | None = None,
) -> list[RankEnd]:
    """Start this machine's ranks and return how each ended; none is left when this returns.

    Args:
        start: What to start.
        control: Hears the events of rank 0, if it is among them; asks all ranks to save and stop.
            Asked twice, they are ended at once.
        patience: How long they may take.
        elsewhere: The other machines, if there are any.

    Raises:
        EnvironmentUnsuitableError: A process could not be started.
    """
    tail = EventTail(start.folder / EVENTS_FILE)
    elsewhere = elsewhere or Elsewhere()
    with _started(start) as ranks:
        watcher = _Watcher(ranks, start.folder, control.cancel, patience, elsewhere)
        while watcher.look():
            for event in tail.read():
                control.tell(event)
            elsewhere.look()
            wait_for_any(ranks, _LOOK_S)
    while events := tail.read():
        for event in events:
            control.tell(event)
    return sorted(watcher.ends, key=lambda end: end.rank)


@contextlib.contextmanager
def _started(start: Start) -> Iterator[list[RankProcess]]:
    ranks: list[RankProcess] = []
    try:
        for rank in start.share.ranks:
            log = log_of(start.logs, rank)
            environment = {
                **_threads(start.share),
                **start.environment,
                **_temporary(start.folder),
                **_place(rank, start),
            }
            ranks.append(RankProcess(rank, start.command, environment, log))
            logger.info("Rank %s is process %s; its log is %s.", rank, ranks[-1].pid, log.name)
        yield ranks
    finally:
        for process in ranks:
            process.end()


def _threads(share: Share) -> dict[str, str]:
    """Return the variable that divides this machine's cores among its ranks.

    Without a number of threads each rank would start one for every core, and they would wait for
    one another.
    """
    return {"OMP_NUM_THREADS": str(max(1, available_cores() // share.processes))}


def _temporary(folder: Path) -> dict[str, str]:
    """Return the variable by which what ranks leave in temporary files is cleared away with ours.

    Sockets that lie there have names of up to 107 characters.
    """
    return {"TMPDIR": str(folder)} if len(str(folder)) <= _MAX_TEMPORARY_CHARS else {}


def _place(rank: int, start: Start) -> dict[str, str]:
    """Return the variables that torchrun gives a process, and ours.

    Source:
        https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables
    """
    share = start.share
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank - share.first_rank),
        "GROUP_RANK": str(share.node_rank),
        "WORLD_SIZE": str(share.world_size),
        "LOCAL_WORLD_SIZE": str(share.processes),
        FOLDER_VARIABLE: str(start.folder),
    }


class _Watcher:
    """Looks after running ranks and decides when waiting for them has become useless."""

    def __init__(
        self,
        ranks: list[RankProcess],
        folder: Path,
        cancel: CancelToken,
        patience: Patience,
        elsewhere: Elsewhere,
    ) -> None:
        self.ends: list[RankEnd] = []
        self._running = list(ranks)
        self._folder = folder
        self._cancel = cancel
        self._patience = patience
        self._elsewhere = elsewhere
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
        return _is_past(self._asked_at, self._patience.stop_s) or any(
            _is_past(moment, self._patience.others_s)
            for moment in (self._failed_at, self._elsewhere.failed_at)
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
        nobody_failed = not failed and self._elsewhere.failed_at is None
        return (
            not nobody_failed
            and self._elsewhere.all_blame_others
            and all(end.blames_others for end in failed)
        )

    def _note(self, process: RankProcess, *, hangs: bool, by_us: bool = False) -> None:
        self._running.remove(process)
        end = RankEnd(
            rank=process.rank,
            time=time.time(),
            exit_code=None if by_us else process.exit_code,
            answer=read_answer(self._folder, process.rank),
            hangs=hangs,
            gave_up_waiting=not by_us and process.gave_up_waiting,
        )
        self.ends.append(end)
        self._elsewhere.hear(end)
        how = f"exit code {process.exit_code}" + (", ended by the launcher" if by_us else "")
        logger.info("Rank %s is gone: %s.", process.rank, how)
        if end.failed and self._failed_at is None:
            self._failed_at = time.monotonic()


def _is_past(moment: float | None, seconds: float) -> bool:
    return moment is not None and time.monotonic() - moment > seconds
