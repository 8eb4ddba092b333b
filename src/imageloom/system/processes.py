"""Starts processes that no signal ends too early; ends them so that nothing of theirs stays."""

import contextlib
import signal
import time
from collections.abc import Iterator, Sequence
from typing import Final

import psutil

ASKING_SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGINT,
)  # by which people and schedulers ask to stop
_CLEARING_S: Final = 2.0  # for a resource tracker to remove what others left, and to end


@contextlib.contextmanager
def held_back(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Let processes that the body starts be born with signals held back, until they listen."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_but_resource_trackers(processes: Sequence[psutil.Process]) -> None:
    """Kill processes, but let those end by themselves that clear away their shared memory.

    Python starts such a resource tracker beside a process that shares memory with its workers. Once
    all of them are gone it removes what they left in ``/dev/shm``; killed with them it could not.

    Args:
        processes: All that may hold shared memory together. What does not end in time is left to
            the caller.
    """
    trackers = [one for one in processes if _is_resource_tracker(one)]
    for one in processes:
        if one not in trackers:
            with contextlib.suppress(psutil.Error):
                one.kill()
    give_up = time.monotonic() + _CLEARING_S
    while any(map(_runs, trackers)) and time.monotonic() < give_up:
        time.sleep(0.005)


def _is_resource_tracker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("multiprocessing.resource_tracker" in word for word in process.cmdline())
    return False


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
