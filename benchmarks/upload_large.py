"""A large upload whose server is killed half way: how fast it comes, and whether it goes on.

    python benchmarks/upload_large.py --gib 20 --out DIR

DIR is a new workspace on a disk with room for it all. The server is killed with ``kill -9`` in the
midst of the upload and started anew; the client asks how much is there and sends the rest. The
digest of the whole is announced, so the server itself says whether it has what was sent.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

GIB = 1024**3


class Studio:
    """The real command, on the port of before if it had one."""

    def __init__(self, workspace):
        self._workspace = workspace
        self.port, self.token, self._server = 0, "", None

    def start(self):
        command = [sys.executable, "-m", "imageloom", "studio", "--no-browser"]
        command += ["--port", str(self.port), "--workspace", str(self._workspace)]
        environment = {**os.environ, "IMAGELOOM_HOME": str(self._workspace / "home")}
        self._server = subprocess.Popen(
            command, env=environment, cwd=self._workspace, stdout=subprocess.PIPE, text=True
        )
        link = re.search(r"http://127.0.0.1:(\d+)/\?token=(\S+)", self._server.stdout.readline())
        self.port, self.token = int(link[1]), link[2]
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def stop(self, how):
        self._server.send_signal(how)
        self._server.wait()
        self._server.stdout.close()

    def most_mib(self):
        """Return the most memory that the server has held."""
        status = Path(f"/proc/{self._server.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def ask(self, method, path, body, kind="application/json"):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        self._connection.request(method, f"/api/uploads{path}", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 201), (answer.status, content[:300])
        return json.loads(content)


def part(number, size):
    """Return a part that differs from all others in its first bytes."""
    return number.to_bytes(8, "big") + bytes(size - 8)


def send(studio, upload, start, end):
    for offset in range(start, end, upload["part_bytes"]):
        number = offset // upload["part_bytes"]
        content = part(number, min(upload["part_bytes"], upload["size_bytes"] - offset))
        digest = hashlib.sha256(content).hexdigest()
        path = f"/{upload['id']}/parts/{offset}?sha256={digest}"
        studio.ask("PUT", path, content, "application/octet-stream")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gib", type=float, default=20)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    size = round(arguments.gib * GIB)
    studio = Studio(arguments.out)
    studio.start()
    asked = {"name": "large.zip", "size_bytes": size}
    part_bytes = studio.ask("GET", f"/{studio.ask('POST', '', json.dumps(asked))['id']}", None)[
        "part_bytes"
    ]
    whole = hashlib.sha256()
    for offset in range(0, size, part_bytes):
        whole.update(part(offset // part_bytes, min(part_bytes, size - offset)))
    upload = studio.ask("POST", "", json.dumps({**asked, "sha256": whole.hexdigest()}))

    began = time.perf_counter()
    half = size // 2 // part_bytes * part_bytes
    send(studio, upload, 0, half)
    before = studio.most_mib()
    studio.stop(signal.SIGKILL)
    studio.start()
    there = studio.ask("GET", f"/{upload['id']}", None)["there"]
    send(studio, upload, there, size)
    sent = time.perf_counter() - began
    began = time.perf_counter()
    done = studio.ask("POST", f"/{upload['id']}/finish", "{}")
    finished = time.perf_counter() - began
    memory = max(before, studio.most_mib())
    studio.stop(signal.SIGINT)
    assert there == half, "what was acknowledged is there, and nothing else"
    assert done["sha256"] == whole.hexdigest()
    assert done["size_bytes"] == size == Path(done["path"]).stat().st_size
    print(f"| sent | {size / 1e9:.1f} GB in {sent:.0f} s, {size / 1e6 / sent:.0f} MB/s |")
    print(f"| there after kill -9 at half | {there:,} of {half:,} bytes |")
    print(f"| looked at as a whole, and published | {finished:.0f} s |")
    print(f"| most memory of the server | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
