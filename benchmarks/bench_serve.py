"""How many pictures per second 'imageloom serve' answers, next to the network on ready tensors.

    python benchmarks/bench_serve.py --network resnet18 --clients 64 --seconds 15 --rounds 3

The network has random weights. Pictures are JPEG files of 500 x 375 pixels, or those of a folder
that --pictures names. In each round the server as the command starts it is asked by --clients
connections that each wait for their answer before they ask again; before and after that stands the
ceiling: the network alone in this process, on batches of --batch-size that lie ready in memory.
Clients and server share the cores. Then one client alone, with batches filled up and not.
"""

import argparse
import asyncio
import contextlib
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from made_model import made_pictures, save_model

from imageloom.events import ignore_events
from imageloom.serving.params import ServeParams
from imageloom.serving.served_model import served_model

SCRIPT = Path(sys.executable).with_name("imageloom")


def ceiling(model, batch_size, seconds):
    """Return pictures per second of the network alone."""
    params = ServeParams(device="cpu", batch_size=batch_size)
    with served_model(model, "model", params, ignore_events) as served:
        size = served.input_size
        batch_BHWC = torch.randint(0, 256, (batch_size, size, size, 3), dtype=torch.uint8)
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            served.probabilities(batch_BHWC.permute(0, 3, 1, 2))
            done += batch_size
        return done / (time.perf_counter() - began)


@contextlib.contextmanager
def server(model, *words):
    command = [SCRIPT, "serve", model, "--device", "cpu", "--listen", "127.0.0.1:0", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    said = ""
    while "Stop" not in said:
        said += process.stdout.readline()
    try:
        yield re.search(r"http://([0-9.]+):([0-9]+)/", said).groups()
    finally:
        process.terminate()
        assert process.wait(60) == 0


async def client(place, files, end, times, failures):
    reader, writer = await asyncio.open_connection(*place)
    number = 0
    while time.perf_counter() < end:
        file = files[number % len(files)]
        number += 1
        head = (
            f"POST /predict HTTP/1.1\r\nHost: {place[0]}:{place[1]}\r\n"
            f"Content-Length: {len(file)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + file)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: ([0-9]+)", answer)[1])
        body = await reader.readexactly(length)
        if answer.startswith(b"HTTP/1.1 200"):
            assert len(json.loads(body)["predictions"]) == 1
            times.append(time.perf_counter() - began)
        else:
            failures.append(answer.partition(b"\r\n")[0].decode())
    writer.close()


async def load(place, files, clients, seconds):
    """Return answers per second, the seconds of each, and what was no answer."""
    times, failures = [], []
    began = time.perf_counter()
    end = began + seconds
    turns = [files[start:] + files[:start] for start in range(len(files))]
    await asyncio.gather(
        *(client(place, turns[n % len(turns)], end, times, failures) for n in range(clients))
    )
    return len(times) / (time.perf_counter() - began), times, failures


def in_words(times):
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="a folder of real ones instead of made ones")
    asked = parser.parse_args()
    files = (
        [one.read_bytes() for one in sorted(asked.pictures.rglob("*.[jJ]*")) if one.is_file()]
        if asked.pictures
        else list(made_pictures(64))
    )
    print(f"{len(files)} pictures of {sum(map(len, files)) / len(files) / 1024:.0f} KiB")
    ratios = []
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as folder:
        model = Path(folder) / "model"
        save_model(model, asked.network, asked.size)
        for number in range(asked.rounds):
            before = ceiling(model, asked.batch_size, asked.seconds / 2)
            with server(model, "--batch-size", str(asked.batch_size)) as place:
                found = asyncio.run(load(place, files, asked.clients, asked.seconds))
            after = ceiling(model, asked.batch_size, asked.seconds / 2)
            most = (before + after) / 2
            ratios.append(found[0] / most)
            print(
                f"round {number + 1}: network alone {before:.1f} and {after:.1f} images/s; "
                f"served {found[0]:.1f} answers/s, {100 * ratios[-1]:.0f} %; {in_words(found[1])}; "
                f"{len(found[2])} refused {set(found[2]) or ''}"
            )
        print(f"of the ceiling: median {100 * statistics.median(ratios):.0f} %")
        for fill in ("0", "1"):
            with server(model, "--fill-to", fill) as place:
                _, times, _ = asyncio.run(load(place, files, 1, asked.seconds))
            print(f"one client, --fill-to {fill}: {in_words(times)} of {len(times)}")


if __name__ == "__main__":
    main()
