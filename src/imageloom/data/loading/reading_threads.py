"""Threads that read the pictures of a batch while the process waits for it.

Reading, digests, decoding and scaling let other threads run meanwhile, so that on a CPU, whose
cores the network uses between batches, threads need no process to be started, no copy of torch in
memory and no core of their own.
"""

import functools
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_TURNS = 4  # of each thread in a batch, so that none waits long for one with large pictures


class ReadingThreads:
    """A number of threads; a context manager, after which they have ended.

    Args:
        count: How many; with 1 the calling thread does the work.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __reduce__(self) -> tuple[type["ReadingThreads"], tuple[int]]:
        """Take the number to another process, not the threads."""
        return type(self), (self._count,)

    def __enter__(self) -> "ReadingThreads":
        return self

    def __exit__(self, *_: object) -> None:
        if "_pool" in self.__dict__:
            self._pool.shutdown()

    def map(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
        """Return the results in the order of the items.

        Raises:
            Exception: What the function raised, for the first item of which it did.
        """
        if self._count == 1 or len(items) == 1:
            return [function(item) for item in items]
        size = math.ceil(len(items) / (self._count * _TURNS))
        turns = [items[start : start + size] for start in range(0, len(items), size)]
        done = self._pool.map(lambda turn: [function(item) for item in turn], turns)
        return [result for results in done for result in results]

    @functools.cached_property
    def _pool(self) -> ThreadPoolExecutor:
        together = threading.Barrier(self._count + 1)
        pool = ThreadPoolExecutor(
            self._count, "imageloom-reader", initializer=_begin, initargs=(together,)
        )
        for _ in range(self._count):
            pool.submit(int)  # each starts a thread, because none of them is idle yet
        together.wait()
        # What the others have set is also what new threads begin with.
        torch.set_num_threads(torch.get_num_threads())
        return pool


def _begin(together: threading.Barrier) -> None:
    """Let torch use this thread alone: there are as many as cores already."""
    torch.get_num_threads()  # else the first operation would set the process's number again
    torch.set_num_threads(1)
    together.wait()
