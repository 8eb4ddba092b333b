"""Programs of tests that start where torch has been imported already.

Importing torch, torchvision, timm and the training takes 5 s of a processor, most of the life of a
tiny training. So one process imports them, computes nothing, and forks for each program. What runs
is a process with its own environment, arguments and standard error, which can be stopped and
killed. A test of how a command starts or ends starts an interpreter instead.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from imageloom.extensions import declare_all
from imageloom.models import families
from imageloom.models.families.timm import find
from imageloom.system.pandas_left_out import leave_pandas_out

PRELOADED = ("imageloom.launch.train", "imageloom.training.train")


class Program:
    """A process that runs a program of a test.

    Attributes:
        pid: Its number.
        returncode: None while it runs; minus the signal that killed it, or what it ended with.
        stderr: What it had written to standard error when it ended.
    """

    def __init__(self, end: IO[str], stderr: IO[str]) -> None:
        self.pid = int(end.readline())
        self.returncode: int | None = None
        self.stderr = ""
        self._end = end
        self._stderr_file = stderr

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            with self._end, self._stderr_file:
                self.returncode = int(self._end.readline())
                self._stderr_file.seek(0)
                self.stderr = self._stderr_file.read()
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


def start_program(program: str, *arguments: str, environment: Mapping[str, str]) -> Program:
    """Start a process that runs the text of a program; all warnings are errors in it."""
    asked = {
        "program": program,
        "arguments": arguments,
        "environment": dict(environment),
        "folder": str(Path.cwd()),
    }
    stderr = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - of the Program
    end, told = os.pipe()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as request:
        json.dump(asked, request)
        request.flush()
        request.seek(0)
        descriptors = [request.fileno(), stderr.fileno(), told]
        socket.send_fds(_warm_process(), [b"."], descriptors)
        os.close(told)
        return Program(os.fdopen(end, encoding="ascii"), stderr)


@functools.cache
def _warm_process() -> socket.socket:
    ours, theirs = socket.socketpair()
    environment = {**os.environ}
    environment.pop("IMAGELOOM_EXTENSIONS", None)  # one test's are not those of the next
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(door: socket.socket) -> tuple[int, int]:
    """Return in each process that is to run a program; what was asked, and its standard error."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that keep a program
    while True:
        word, descriptors, _, _ = socket.recv_fds(door, 1, 3)
        if not word:
            os._exit(0)
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    door.close()
    asked, stderr, told = descriptors
    if child := os.fork():
        os.write(told, f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(told)
    return asked, stderr


if __name__ == "__main__":
    leave_pandas_out({})
    for name in PRELOADED:
        importlib.import_module(name)
    find("timm/test_resnet")  # imports timm as a training does, without torch's compiler
    assert "torch._dynamo" not in sys.modules, "ranks are tested with as much as users' have"
    gc.collect()
    gc.freeze()  # programs that collect garbage would pass over torch, and copy its pages
    atexit.register(gc.unfreeze)  # libraries of C++ take what is left then for a leak
    asked_file, stderr_file = _serve(socket.socket(fileno=int(sys.argv[1])))
    os.dup2(stderr_file, 2)
    os.close(stderr_file)
    with os.fdopen(asked_file, encoding="utf-8") as stream:
        asked = json.load(stream)
    os.environ.clear()
    os.environ.update(asked["environment"])
    if "IMAGELOOM_EXTENSIONS" in os.environ:  # an interpreter would load them where it imports ours
        declare_all(families)
    os.chdir(asked["folder"])
    sys.argv[:] = ["-c", *asked["arguments"]]
    sys.path[0] = ""
    exec(compile(asked["program"], "<string>", "exec"), {"__name__": "__main__"})
