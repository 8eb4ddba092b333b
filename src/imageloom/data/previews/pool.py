"""Helper processes that are started when first needed and may die: one call each at a time."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from imageloom.data.previews.process import PreviewProcess
from imageloom.errors import TimeoutOccuredError, WorkerLostError


def nothing_to_clear(_pid: int) -> None:
    """Do nothing about a process that has ended."""


class HelperPool:
    """Processes of one kind. Any thread may call; a call waits for a free one and its answer.

    A process that dies or takes too long costs one call: the next starts another. One that ended
    because it had nothing to do costs none.

    Args:
        start: Starts a process.
        processes: How many calls are worked on at once.
        on_end: Told the number of each process that has ended.

    Attributes:
        running: The processes that were started and have not ended, as far as is known.
    """

    def __init__(
        self,
        start: Callable[[], PreviewProcess],
        *,
        processes: int = 1,
        on_end: Callable[[int], None] = nothing_to_clear,
    ) -> None:
        self._begin = start
        self._processes = processes
        self._on_end = on_end
        # The one used last is asked first, so that others need not start.
        self._free: queue.LifoQueue[PreviewProcess | None] = queue.LifoQueue()
        for _ in range(processes):
            self._free.put(None)
        self._lock = threading.Lock()
        self.running: set[PreviewProcess] = set()
        self._is_closed = False

    def ask(self, what: str, arguments: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Return the answer to a request.

        Args:
            what: A name that the worker knows.
            arguments: JSON values.
            timeout_s: Longest time, the wait for a free process included, its start not.

        Raises:
            TimeoutOccuredError: It took too long, or all processes are busy.
            WorkerLostError: The process ended at it, or the pool is closed.
            ImageloomError: What the worker answered.
        """
        end = time.monotonic() + timeout_s
        try:
            process = self._free.get(timeout=timeout_s)
        except queue.Empty:
            raise self._busy(timeout_s) from None
        try:
            if process is not None and not process.lives:  # it ended while it had nothing to do
                self._drop(process)
                process = None
            if process is None:
                process = self._start()
                end = time.monotonic() + timeout_s  # loading libraries is not the picture's fault
            return cast(dict[str, Any], process.ask(what, arguments, end=end))
        finally:
            if process is not None and not process.is_in_step:
                self._drop(process)
                process = None
            self._free.put(process)

    def close(self) -> None:
        """End all processes; calls that wait for one get an error."""
        with self._lock:
            self._is_closed = True
            for process in self.running:
                process.kill()  # which ends the calls that wait for it
        for _ in range(self._processes):
            last = self._free.get()
            if last is not None:
                self._drop(last)
        for _ in range(self._processes):
            self._free.put(None)

    def _start(self) -> PreviewProcess:
        process = self._begin()
        with self._lock:
            if not self._is_closed:
                self.running.add(process)
                return process
        process.end()
        raise WorkerLostError("Pictures are not shown any more.", reason="preview-closed")

    def _drop(self, process: PreviewProcess) -> None:
        process.end()
        self._on_end(process.pid)
        with self._lock:
            self.running.discard(process)

    def _busy(self, timeout_s: float) -> TimeoutOccuredError:
        return TimeoutOccuredError(
            f"All {self._processes} preview processes were busy for {timeout_s:g} s.",
            hint="Try again in a moment.",
            reason="preview-busy",
        )
