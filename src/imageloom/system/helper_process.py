"""A process that helps this one, as its parent sees it: asked one thing at a time, and ended."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Final

from imageloom.errors import (
    EnvironmentUnsuitableError,
    ImageloomError,
    TimeoutOccuredError,
    WorkerLostError,
    error_from_json,
    named_error,
    printable,
)

_START_TIMEOUT_S: Final = 120.0
_READ_BYTES: Final = 1 << 20
# What Python, its libraries and our settings need. Tokens and passwords of the parent stay there.
_PASSED_ON: Final = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
    *("PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
)


LEAN: Final[Mapping[str, str]] = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Without these, threads and the pool of Arrow reserve a gigabyte of the memory one may take."""


@dataclass(frozen=True)
class HelperKind:
    """What kind of helper a process is.

    Attributes:
        module: Of the package; ``python -m`` runs it. It calls ``answer_parent``.
        name: As it stands in messages: ``preview process``.
        reason: How the reasons of its errors begin: ``preview`` makes ``preview-lost``.
        slow_hint: What to do when it takes too long.
        lost_hint: What to do when it ends at its work.
        environment: Variables that it gets besides those that Python needs.
        passed_on: Names of variables of the parent that it gets too.
    """

    module: str
    name: str
    reason: str
    slow_hint: str
    lost_hint: str
    environment: Mapping[str, str] = field(default_factory=dict)
    passed_on: tuple[str, ...] = ()


def helper_environment(*names: str) -> dict[str, str]:
    """Return what a process that helps this one may know of its surroundings, by name.

    Args:
        names: Variables that it gets besides those that Python needs.
    """
    passed = {name: os.environ[name] for name in (*_PASSED_ON, *names) if name in os.environ}
    return passed | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class HelperProcess:
    """A process that answers one request after the other; of one thread at a time.

    Args:
        kind: What it is.
        setup: The first JSON value that it gets.

    Attributes:
        pid: Its number.
        is_in_step: Whether every request was answered: else the next answer would be of another.

    Raises:
        ImageloomError: It could not start, or answers the setup with an error.
    """

    def __init__(self, kind: HelperKind, setup: Mapping[str, object]) -> None:
        self._kind = kind
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        self._unread = b""
        environment = helper_environment(*kind.passed_on) | dict(kind.environment)
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", kind.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
                start_new_session=True,  # Ctrl+C is for the parent, which then ends it
            )
        except OSError as problem:
            self._errors.close()
            raise named_error(problem) or EnvironmentUnsuitableError(
                f"The {kind.name} could not be started: {problem.strerror or problem}.",
                hint="Is the machine out of memory or of processes? Close other programs.",
                reason="no-process",
            ) from problem
        self.pid = self._child.pid
        self.is_in_step = True
        try:
            self._exchange(setup, time.monotonic() + _START_TIMEOUT_S, "start")
        except BaseException:
            self.end()
            raise

    @property
    def lives(self) -> bool:
        """Whether it runs, as far as the system tells at this moment."""
        return self._child.poll() is None

    def ask(self, what: str, arguments: Mapping[str, object], *, end: float) -> object:
        """Return the answer to a request.

        Args:
            what: A name that the helper knows.
            arguments: JSON values.
            end: When to give up, as ``time.monotonic`` counts. The process is of no use then.

        Raises:
            TimeoutOccuredError: It took longer.
            WorkerLostError: The process ended.
            ImageloomError: What the helper answered; the process lives on.
        """
        return self._exchange([what, arguments], end, what)

    def kill(self) -> None:
        """Kill it from any thread; the one that asks it something gets an error."""
        self._child.kill()

    def end(self) -> None:
        """Kill it and let go of it; nothing that is needed is lost with it."""
        self.kill()
        for pipe in (self._stdin, self._stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, on a disk
            self._child.wait(timeout=5)
        self._errors.close()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._child.stdin is not None
        return self._child.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._child.stdout is not None
        return self._child.stdout

    def _exchange(self, request: object, end: float, what: str) -> object:
        line = json.dumps(request).encode("ascii") + b"\n"
        self.is_in_step = False
        with contextlib.suppress(BrokenPipeError):  # its death shows when its pipe is read
            self._stdin.write(line)
            self._stdin.flush()
        kind, value = json.loads(self._line(end, what))
        self.is_in_step = True
        if kind == "error":
            raise error_from_json(value)
        return value

    def _line(self, end: float, what: str) -> bytes:
        waiting = select.poll()
        waiting.register(self._stdout, select.POLLIN)
        while b"\n" not in self._unread:
            left_s = end - time.monotonic()
            if left_s <= 0 or not waiting.poll(left_s * 1000):
                raise TimeoutOccuredError(
                    f"The {self._kind.name} did not finish its work in time ({what}).",
                    hint=self._kind.slow_hint,
                    reason=f"{self._kind.reason}-timeout",
                )
            read = os.read(self._stdout.fileno(), _READ_BYTES)
            if not read:
                raise self._lost(what)
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _lost(self, what: str) -> ImageloomError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=5)
        status = self._child.returncode
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
        said = printable(self._errors.read()[-500:].decode("utf-8", "replace")).strip()
        end = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
        return WorkerLostError(
            f"The {self._kind.name} ended with {end} at its work ({what}). {said}".strip(),
            hint=self._kind.lost_hint,
            reason=f"{self._kind.reason}-lost",
            details={"status": status},
        )
