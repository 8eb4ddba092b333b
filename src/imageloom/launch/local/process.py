"""One rank as a process of this machine: how it is started, looked at and ended."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from imageloom.errors import EnvironmentUnsuitableError, named_error
from imageloom.files.publish import open_log
from imageloom.system.processes import ASKING_SIGNALS, end_but_resource_trackers, held_back

_NCCL_GAVE_UP: Final = b"Watchdog caught collective operation timeout"  # torch's WorkNCCL.cpp
_LAST_WORDS_BYTES: Final = 256 * 1024  # after it come the stacks of all threads


class RankProcess:
    """A process in a session of its own, so that Ctrl+C of a terminal does not reach it.

    Its standard input is a pipe that we hold open and never write to: when we end, however that
    happens, the rank reads the end of it and knows that it is alone.

    Args:
        rank: Its number.
        command: What to run.
        environment: All its variables.
        log: File to append its output to.

    Attributes:
        rank: Its number.
        pid: Number of its process and of its process group.
        bell: A descriptor that can be read once it has ended, where the system has such.
        exit_code: Minus the signal that killed it, or what it ended with; None while it runs.

    Raises:
        EnvironmentUnsuitableError: The machine starts no more processes.
        FailedToWriteOutputsError: The log cannot be written.
    """

    def __init__(
        self, rank: int, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.rank = rank
        self.exit_code: int | None = None
        self._stopped_since: float | None = None
        self._log = log
        # A rank that was asked to stop before it can answer would be killed by that. So it lets
        # these signals through when it listens (imageloom.launch.rank).
        with open_log(log) as stream, held_back(ASKING_SIGNALS):
            self._log_begin = stream.tell()
            try:
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=stream,
                    stderr=stream,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as problem:
                if known := named_error(problem):
                    raise known from problem
                raise EnvironmentUnsuitableError(
                    f"The process of rank {rank} could not be started: "
                    f"{problem.strerror or problem}.",
                    hint="Is the machine out of memory or of processes? Ask for fewer with "
                    "--processes-per-node, or close other programs.",
                    reason="no-process",
                ) from problem
        self.pid = self._child.pid
        self.bell: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # an old kernel
                self.bell = os.pidfd_open(self.pid)

    def look(self) -> bool:
        """Whether it still runs; when it does not, what it had started is ended as well."""
        if self.exit_code is not None:
            return False
        # When we were started with SIGCHLD ignored, the kernel keeps no codes.
        with contextlib.suppress(ChildProcessError):
            # WNOWAIT: the number stays its own, so that it is safe to signal its group.
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return True
        self.end()
        return False

    def stopped_for_s(self) -> float:
        """Return for how many seconds it has been stopped (SIGSTOP), as often as we looked."""
        status = ""
        with contextlib.suppress(psutil.Error):
            status = psutil.Process(self.pid).status()
        if status not in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP):
            self._stopped_since = None
            return 0.0
        if self._stopped_since is None:
            self._stopped_since = time.monotonic()
        return time.monotonic() - self._stopped_since

    @property
    def gave_up_waiting(self) -> bool:
        """Whether NCCL ended it because another rank did not answer, as its log says."""
        if self.exit_code != -signal.SIGABRT:
            return False
        with contextlib.suppress(OSError), self._log.open("rb") as stream:
            stream.seek(max(self._log_begin, self._log.stat().st_size - _LAST_WORDS_BYTES))
            return _NCCL_GAVE_UP in stream.read(_LAST_WORDS_BYTES)
        return False

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the rank alone: it still needs its children while it saves."""
        self._send(signal.SIGTERM)

    def show_stacks(self) -> None:
        """Let it write where its threads are into its log, also when it is stopped."""
        self._send(signal.SIGUSR1)
        self._send(signal.SIGCONT)

    def end(self) -> None:
        """Kill it with all that it started, and wait for the end."""
        if self.exit_code is None:
            end_but_resource_trackers(self._group())
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.exit_code = self._child.wait()
            assert self._child.stdin is not None
            self._child.stdin.close()
            if self.bell is not None:
                os.close(self.bell)

    def _group(self) -> list[psutil.Process]:
        found = []
        for pid in psutil.pids():
            with contextlib.suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
                if os.getpgid(pid) == self.pid:
                    found.append(psutil.Process(pid))
        return found

    def _send(self, number: signal.Signals) -> None:
        if self.look():
            os.kill(self.pid, number)


def wait_for_any(ranks: Sequence[RankProcess], timeout_s: float) -> None:
    """Wait until one of the ranks that run has ended, or for the time given.

    Where the system tells us of the end (Linux), the order of two ends is known to a millisecond.
    """
    bells = select.poll()
    for process in ranks:
        if process.exit_code is None and process.bell is not None:
            bells.register(process.bell, select.POLLIN)
    bells.poll(timeout_s * 1000)
