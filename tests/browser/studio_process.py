"""The studio as a person starts it: the real command, server, executors and workers."""

import json
import os
import re
import select
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from .loaded_libraries import heavy_libraries

START_S = 60


class StudioProcess:
    """``imageloom studio`` in a process of its own.

    Args:
        python: The interpreter of a virtual environment in which Imageloom is installed.
        folder: A new folder for its home and workspace; it is started there.
    """

    def __init__(self, python, folder):
        self.folder = folder
        self.workspace = folder / "workspace"
        self._command = [str(python), "-m", "imageloom", "studio", "--no-browser"]
        self._command += ["--workspace", str(self.workspace), "--root", str(folder)]
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "IMAGELOOM_HOME": str(folder / "home"),
            "OMP_NUM_THREADS": "1",
        }
        self._process = None
        self._heavy = set()
        self.address = ""
        self.link = ""

    def start(self):
        """Start it, on the port of before if there was one, and wait for its link."""
        port = self.address.rstrip("/").rpartition(":")[2] or "0"
        self._process = subprocess.Popen(
            [*self._command, *self._where(port)],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        line = self._line_with("http://")
        self.link = re.search(r"http://\S+", line)[0]
        self.address, _, self.token = self.link.partition("?token=")

    def _where(self, port):
        """Return the options that say where it listens."""
        return ["--port", port]

    def kill(self):
        """Kill the server alone, as the kernel does when memory is short."""
        self.heavy_libraries()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def stop(self):
        """Stop it, and every process that belongs to its folder."""
        if self._process is not None and self._process.poll() is None:
            self.heavy_libraries()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process.stdout.close()
        for pid in self.executors():
            os.kill(pid, signal.SIGKILL)

    def heavy_libraries(self):
        """Return the heavy libraries that a server of this studio had loaded up to now."""
        if self._process.poll() is None:
            self._heavy.update(heavy_libraries(self.pid))
        return sorted(self._heavy)

    @property
    def pid(self):
        """Of the server."""
        return self._process.pid

    def executors(self):
        """Return the processes of this machine that execute a run of the workspace or a node."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and entry.name != str(self.pid):
                try:
                    words = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.workspace).encode() in words:
                    found.append(int(entry.name))
        return found

    def ask(self, path, body=None, *, method=None, headers=None):
        """Ask the API as a program does, and return what it answers."""
        request = urllib.request.Request(
            f"{self.address}api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def wait_for_run(
        self, run, states=("completed",), *, before=("queued", "running"), seconds=180
    ):
        """Return a run once it is in one of some states; it may be in others ``before``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.ask(f"runs/{run}")
            if found["state"] in states:
                return found
            assert found["state"] in before, found
            time.sleep(0.1)
        raise AssertionError(f"{run} is {found['state']} after {seconds} s")

    def _line_with(self, text):
        deadline = time.monotonic() + START_S
        lines = []
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self._process.stdout], [], [], 1)
            line = self._process.stdout.readline() if ready else ""
            lines.append(line)
            if text in line:
                return line
            assert self._process.poll() is None, "".join(lines)
        raise AssertionError(f"it did not start: {''.join(lines)}")


class SharedStudioProcess(StudioProcess):
    """A studio for several people; ``ask`` asks as the one who signed in last.

    Args:
        python: As of a ``StudioProcess``.
        folder: Likewise.
        host: Address of this machine at which it listens.
    """

    def __init__(self, python, folder, host="127.0.0.1"):
        super().__init__(python, folder)
        self._host = host

    def add_user(self, name, role, password):
        """Add a user as a person does, with the password on stdin."""
        words = [*self._command[:3], "users", "add", name, "--role", role]
        words += ["--workspace", str(self.workspace)]
        subprocess.run(
            words,
            input=f"{password}\n",
            env=self._environment,
            text=True,
            check=True,
            capture_output=True,
        )

    def sign_in(self, name, password):
        """Sign in as a program does."""
        request = urllib.request.Request(
            f"{self.address}api/session/sign-in",
            data=json.dumps({"name": name, "password": password}).encode(),
            headers={"Origin": self.address.rstrip("/"), "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            cookie = answer.headers["set-cookie"]
        self.token = re.search(r"=([^;]+);", cookie)[1]

    def _where(self, port):
        return ["--listen", f"{self._host}:{port}"]
