"""The studio as a person starts it, for the benchmarks that ask it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

KEPT_OPEN_S = 3  # the server closes what was silent for 5 s


class StartedStudio:
    """``imageloom studio`` in a process of its own, which is ended with the ``with`` block.

    Args:
        workspace: Where its runs lie; need not be there.
    """

    def __init__(self, workspace):
        self._workspace = workspace
        self.port, self.token = 0, ""
        self._asked = 0.0

    def start(self):
        """Start it, on the port of before if there was one."""
        self._workspace.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "imageloom", "studio", "--no-browser"]
        command += ["--port", str(self.port), "--workspace", str(self._workspace)]
        environment = {**os.environ, "IMAGELOOM_HOME": str(self._workspace / "home")}
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=self._workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.link = re.search(r"http://\S+", self._process.stdout.readline())[0]
        address, _, self.token = self.link.partition("?token=")
        self.port = int(address.rstrip("/").rpartition(":")[2])
        self._connection = self.connect()

    def end(self, how=signal.SIGTERM):
        """Send it a signal that ends it, and wait for that."""
        self._process.send_signal(how)
        self._process.wait()
        self._process.stdout.close()

    def connect(self):
        """Return a connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def ask(self, path, body=None, *, method=None, kind="application/json"):
        """Ask the API on a connection that stays open while it is used; return the bytes."""
        method = method or ("GET" if body is None else "POST")
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        if time.monotonic() - self._asked > KEPT_OPEN_S:
            self._connection.close()  # the next request opens it
        self._connection.request(method, f"/api/{path}", body, headers)
        answer = self._connection.getresponse()
        self._asked = time.monotonic()
        content = answer.read()
        assert answer.status in (200, 201, 202), (path, answer.status, content[:300])
        return content

    def ask_json(self, path, body=None):
        """Ask as ``ask`` does, with JSON both ways."""
        return json.loads(self.ask(path, None if body is None else json.dumps(body)))

    def processor_s(self):
        """Return the seconds of processor time that the server has used."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self, which="VmRSS"):
        """Return the memory of the server; with ``VmHWM`` the most that it ever had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()
