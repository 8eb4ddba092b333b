"""The processes in which pictures are read: how they start, and when they end."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import connection, forkserver, resource_tracker
from multiprocessing.context import BaseContext, ForkServerContext, SpawnContext
from multiprocessing.sharedctypes import RawValue
from types import FrameType

from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from imageloom.data.loading.user_code import user_code_left_out
from imageloom.system.pandas_left_out import leave_pandas_out
from imageloom.system.processes import ASKING_SIGNALS, held_back


class _Flag:
    """An event without a lock.

    A process that is killed keeps for good what it had locked. DataLoader's workers look at its
    event before each batch, so about one in a thousand that were killed had locked it, and their
    owner waited without end when it looked.
    """

    def __init__(self) -> None:
        self._value = RawValue(ctypes.c_bool, False)

    def is_set(self) -> bool:
        return bool(self._value.value)

    def set(self) -> None:
        self._value.value = True


class _FlagForEvent:
    """What DataLoader asks a context for when it wants an event."""

    def Event(self) -> _Flag:  # noqa: N802 - multiprocessing's name
        return _Flag()


class _SpawnContext(_FlagForEvent, SpawnContext):  # type: ignore[misc]  # a flag cannot wait
    pass


class _ForkServerContext(_FlagForEvent, ForkServerContext):  # type: ignore[misc]  # as above
    pass


def reader_context() -> BaseContext:
    """Return what starts them; the server that they are forked from runs already."""
    # Not fork: a forked child inherits locks that other threads hold, and CUDA breaks in it.
    if sys.platform == "win32":
        return _SpawnContext()
    context = _ForkServerContext()
    context.set_forkserver_preload(
        ["imageloom.data.loading.loader"]
    )  # torch is imported once, not N times
    with user_code_left_out():
        resource_tracker.ensure_running()  # first: it lets signals through once it has started
        with held_back(ASKING_SIGNALS):
            forkserver.ensure_running()
    return context


def begin_reader(_worker: int) -> None:
    """Make this process stay as long as its owner, and no longer."""
    leave_pandas_out(os.environ)
    threading.Thread(target=_end_with_owner, daemon=True).start()
    _leave_the_first_request_to_the_owner()


def end_readers(iterator: _MultiProcessingDataLoaderIter) -> None:
    """End all readers of a DataLoader's iterator, also those that hang."""
    iterator._shutdown_workers()
    for reader in iterator._workers:
        reader.kill()  # one that has ended is left alone


def _end_with_owner() -> None:
    """End at once when the owner is gone, by whatever signal.

    DataLoader's own watch looks at the parent process. Here that is the server, which stays as long
    as one of those that it forked holds its pipe open.
    """
    owner = multiprocessing.parent_process()
    assert owner is not None, "this runs in a process that multiprocessing started"
    connection.wait([owner.sentinel])
    os._exit(128 + signal.SIGKILL)


def _leave_the_first_request_to_the_owner() -> None:
    """Stay when all processes of a group are asked to stop: the owner needs this one to save.

    So Ctrl+C in a terminal asks, and SIGTERM of torchrun and Slurm. Asked once more, which is what
    DataLoader does to a worker that hangs, this process ends.
    """
    requests = []

    def answer(_number: int, _frame: FrameType | None) -> None:
        requests.append(1)
        if len(requests) > 1:
            os._exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, answer)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING_SIGNALS)
