"""Helper processes that are started when first needed, and may die: asked from any thread."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from imageloom.errors import TimeoutOccuredError, WorkerLostError
from imageloom.system.helper_process import HelperKind, HelperProcess

IDLE_S: Final = 300.0
"""A process that was asked nothing for so long may end: some hold torch and a model."""


def _nothing(_pid: int) -> None:
    pass


class HelperPool:
    """Some processes of a kind. Any thread may ask; it waits for a free one and for its answer.

    A process that dies or takes too long costs one call: the next starts another. All end when
    ``close`` is called, and by themselves when the process that made this ends in any way.

    Args:
        kind: What they are.
        setup: The first JSON value that each gets.
        processes: How many calls are worked on at once.
        on_end: Told the number of a process that has ended.
    """

    def __init__(
        self,
        kind: HelperKind,
        setup: Mapping[str, object],
        *,
        processes: int = 1,
        on_end: Callable[[int], None] = _nothing,
    ) -> None:
        self._kind = kind
        self._setup = setup
        self._processes = processes
        self._on_end = on_end
        # The one used last is asked first, so that others need not start.
        self._free: queue.LifoQueue[HelperProcess | None] = queue.LifoQueue()
        for _ in range(processes):
            self._free.put(None)
        self._lock = threading.Lock()
        self.running: set[HelperProcess] = set()
        self._is_closed = False
        self._used = time.monotonic()

    def ask(self, what: str, arguments: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Return the answer to a request: a JSON object.

        Args:
            what: A name that the helper knows.
            arguments: JSON values.
            timeout_s: Longest time, the wait for a free process included, its start not.

        Raises:
            TimeoutOccuredError: It took too long, or all processes are busy.
            WorkerLostError: The process ended at it.
            ImageloomError: What the helper answered.
        """
        end = time.monotonic() + timeout_s
        try:
            process = self._free.get(timeout=timeout_s)
        except queue.Empty:
            raise self._busy(timeout_s) from None
        try:
            if process is not None and not process.lives:  # killed while it had nothing to do
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
            self._used = time.monotonic()
            self._free.put(process)

    def end_idle(self, idle_s: float = IDLE_S) -> None:
        """End the processes that are free, if none was asked anything for so long."""
        for _ in range(self._processes):
            if time.monotonic() - self._used < idle_s:
                return
            with contextlib.suppress(queue.Empty):
                process = self._free.get_nowait()
                if process is not None:
                    self._drop(process)
                self._free.put(None)

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

    def _start(self) -> HelperProcess:
        # Looked at before, too: many calls may wait here when all is closed.
        if not self._is_closed:
            process = HelperProcess(self._kind, self._setup)
            with self._lock:
                if not self._is_closed:
                    self.running.add(process)
                    return process
            process.end()
        raise WorkerLostError(
            f"The {self._kind.name} is not there any more.", reason=f"{self._kind.reason}-closed"
        )

    def _drop(self, process: HelperProcess) -> None:
        process.end()
        self._on_end(process.pid)
        with self._lock:
            self.running.discard(process)

    def _busy(self, timeout_s: float) -> TimeoutOccuredError:
        return TimeoutOccuredError(
            f"All {self._processes} {self._kind.name}es were busy for {timeout_s:g} s.",
            hint="Try again in a moment.",
            reason=f"{self._kind.reason}-busy",
        )
