"""How late 200 open pages hear of what happens in a run, and what they cost the server.

    python benchmarks/bench_viewers.py --viewers 200 --per-second 5 --seconds 60 --out DIR

DIR is a new workspace. Each page is a connection of its own that follows the same run; this process
writes a line into the file of its states so many times a second, with the time at which it did. A
page's lag is from there to the moment when the event has arrived. Viewers are in a process apart,
so that writing does not wait for them.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from pathlib import Path

from bench_studio import make_training
from started_studio import StartedStudio

from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState

LAST = "the last"


async def follow(port, token, run_id, lags):
    """Follow a run as a page does until its last message; note how late each was."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    address = f"/api/events?run={run_id}&runs=false"
    head = [f"GET {address} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}"]
    writer.write("\r\n".join([*head, "", ""]).encode())
    while line := await reader.readline():
        if not line.startswith(b"data:"):
            continue
        arrived = time.monotonic()
        message = json.loads(line[5:])["nodes"]["train"]["message"]
        if message == LAST:
            break
        if message:
            lags.append(arrived - float(message))
    writer.close()


def viewers(count, place, results):
    """Follow in so many pages; put the lags of all."""

    async def all_of_them():
        lags = []
        await asyncio.gather(*(follow(*place, lags) for _ in range(count)))
        return lags

    results.put(asyncio.run(all_of_them()))


def write_states(run, per_second, seconds):
    began = time.monotonic()
    for number in range(round(per_second * seconds)):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        message = repr(time.monotonic())
        run.append_node(
            "train", NodeFacts(state=NodeState.COMPLETED, time=time.time(), message=message)
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--per-second", type=float, default=5)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    run = make_training(Workspace(arguments.out), num_rows=1000)
    results = multiprocessing.Queue()
    with StartedStudio(arguments.out) as studio:
        place = studio.port, studio.token, run.id
        pages = multiprocessing.Process(target=viewers, args=(arguments.viewers, place, results))
        pages.start()
        time.sleep(5)  # until all have their first event
        before, began = studio.processor_s(), time.monotonic()
        write_states(run, arguments.per_second, arguments.seconds)
        used = (studio.processor_s() - before) / (time.monotonic() - began)
        resident = studio.memory_mib()
        last = NodeFacts(state=NodeState.COMPLETED, time=time.time(), message=LAST)
        run.append_node("train", last)
        lags = results.get(timeout=60)
        pages.join()
    expected = arguments.viewers * round(arguments.per_second * arguments.seconds)
    middle, p99 = statistics.median(lags), statistics.quantiles(lags, n=100)[98]
    print(f"| lag: median, p99, most | {middle:.3f}, {p99:.3f}, {max(lags):.3f} s |")
    print(f"| events that arrived, of those written | {len(lags):,} of {expected:,} |")
    print(f"| processor of the server | {100 * used:.0f} % of a core |")
    print(f"| memory of the server | {resident:.0f} MiB |")


if __name__ == "__main__":
    main()
