"""A large upload whose server is killed half way: how fast it comes, and whether it goes on.

    python benchmarks/upload_large.py --gib 20 --out DIR

DIR is a new workspace on a disk with room for it all. The server is killed with ``kill -9`` in the
midst of the upload and started anew; the client asks how much is there and sends the rest. The
digest of the whole is announced, so the server itself says whether it has what was sent.
"""

import argparse
import hashlib
import signal
import time
from pathlib import Path

from started_studio import StartedStudio

from imageloom.pipeline.store.upload_limits import PART_BYTES

GIB = 1024**3


def part(number, size):
    """Return a part that differs from all others in its first bytes."""
    return number.to_bytes(8, "big") + bytes(size - 8)


def send(studio, upload, start, end):
    for offset in range(start, end, PART_BYTES):
        number = offset // PART_BYTES
        content = part(number, min(PART_BYTES, upload["size_bytes"] - offset))
        digest = hashlib.sha256(content).hexdigest()
        path = f"uploads/{upload['id']}/parts/{offset}?sha256={digest}"
        studio.ask(path, content, method="PUT", kind="application/octet-stream")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gib", type=float, default=20)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    size = round(arguments.gib * GIB)
    whole = hashlib.sha256()
    for offset in range(0, size, PART_BYTES):
        whole.update(part(offset // PART_BYTES, min(PART_BYTES, size - offset)))
    asked = {"name": "large.zip", "size_bytes": size, "sha256": whole.hexdigest()}
    half = size // 2 // PART_BYTES * PART_BYTES
    with StartedStudio(arguments.out) as studio:
        upload = studio.ask_json("uploads", asked)
        assert upload["part_bytes"] == PART_BYTES
        began = time.perf_counter()
        send(studio, upload, 0, half)
        memory = studio.memory_mib("VmHWM")
        studio.end(signal.SIGKILL)
        studio.start()
        there = studio.ask_json(f"uploads/{upload['id']}")["there"]
        send(studio, upload, there, size)
        sent = time.perf_counter() - began
        began = time.perf_counter()
        done = studio.ask_json(f"uploads/{upload['id']}/finish", {})
        finished = time.perf_counter() - began
        memory = max(memory, studio.memory_mib("VmHWM"))
    assert there == half, "what was acknowledged is there, and nothing else"
    assert done["sha256"] == whole.hexdigest()
    assert done["size_bytes"] == size == Path(done["path"]).stat().st_size
    print(f"| sent | {size / 1e9:.1f} GB in {sent:.0f} s, {size / 1e6 / sent:.0f} MB/s |")
    print(f"| there after kill -9 at half | {there:,} of {half:,} bytes |")
    print(f"| looked at as a whole, and published | {finished:.0f} s |")
    print(f"| most memory of the server | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
