"""How long the studio takes to answer, and to tell a page of a change; and what it weighs.

    python benchmarks/bench_studio.py --runs 10000 --rows 1000000 --rounds 30 --out DIR

DIR is a new workspace; making its runs and rows takes a minute or two. Questions are asked over
HTTP on one connection that stays open, in turn.
"""

import argparse
import gzip
import json
import statistics
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from bench_list import make_run
from started_studio import StartedStudio

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SERIES_FOLDER, SeriesName
from imageloom.files.series.writer import SeriesWriter
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.pipeline.workspace import Workspace
from imageloom.server.app import page_folder
from imageloom.spec.job import LOG_FILE
from imageloom.spec.node_state import NodeState, RunState

LOSS = SeriesName("Train loss", "nats", "step")
TRAINING = "20270101-000000-0000"
SETTLED_S = 4.0  # until the times of files tell every change apart


def make_training(workspace, num_rows, *, log_bytes=0):
    """Write down a run that trains, with a curve and a log."""
    run = workspace.run(TRAINING)
    node = {"id": "train", "component": "train_pytorch_model"}
    run.create(
        RunRecord(
            id=run.id,
            name="training",
            pipeline={"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]},
            base="/",
            resolved={
                "train": ResolvedRecord(component="train_pytorch_model", version=1, params={})
            },
            wanted=("train",),
            created=1_800_000_000.5,
        )
    )
    run.append_run(RunState.RUNNING)
    run.append_node("train", NodeFacts(state=NodeState.COMPLETED, time=time.time()))
    folder = run.node_folder("train") / SERIES_FOLDER
    with SeriesWriter(folder, [LOSS], rank=0, error=CannotResumeError) as writer:
        for step in range(1, num_rows + 1):
            writer.append({LOSS: (step * 7919 % 1000) / 1000}, step=step, epoch=step / 1000)
    write_log(run, log_bytes)
    return run


def write_log(run, num_bytes):
    """Write the log of a long training; one line of it, the last, has the word that is sought."""
    line = "2027-01-01 12:00:00 rank 0: epoch 1, step 1,234: Train loss 0.6931, 512 images/s\n"
    file = run.node_folder("train") / LOG_FILE
    file.parent.mkdir(parents=True)
    with file.open("w") as log:
        for _ in range(num_bytes // len(line)):
            log.write(line)
        log.write("2027-01-01 13:00:00 rank 0: a needle\n")


def pipeline_of(num_nodes):
    """A pipeline of as many nodes: chains of a dataset, a conversion and splits."""
    nodes, edges = [], []
    for number in range(num_nodes):
        kind = number % 10
        name = (
            ("dataset", "convert_to_image_directory")[kind] if kind < 2 else "split_image_directory"
        )
        params = {"path": "."} if kind == 0 else {}
        nodes.append({"id": f"n{number}", "component": name, "params": params})
        if kind:
            output = {1: "dataset", 2: "images"}.get(kind, "first")
            end = "dataset" if kind == 1 else "images"
            edges.append({"from": f"n{number - 1}.{output}", "to": f"n{number}.{end}"})
    return {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": nodes, "edges": edges}


def follow(studio, which=""):
    """Return the stream of what happens, on a connection of its own."""
    connection = studio.connect()
    headers = {"Authorization": f"Bearer {studio.token}"}
    connection.request("GET", f"/api/events{which}", headers=headers)
    return connection.getresponse()


def tell_times(run, studio, rounds):
    """Return seconds from a line in the file of states to the event in the client."""
    stream = follow(studio, f"?run={run.id}&runs=false")
    heard = threading.Semaphore(0)

    def listen():
        while line := stream.readline():
            if line.startswith(b"data:"):
                heard.release()

    threading.Thread(target=listen, daemon=True).start()
    heard.acquire()
    seconds = []
    for number in range(rounds):
        time.sleep(0.05 + number * 0.037 % 0.3)  # at any moment of the server's rhythm
        facts = NodeFacts(state=NodeState.COMPLETED, time=time.time(), message=f"{number}")
        began = time.perf_counter()
        run.append_node("train", facts)
        heard.acquire()
        seconds.append(time.perf_counter() - began)
    return seconds


def watching_percent(studio, seconds):
    """Return how much of a core the server uses while a page follows a list that stays as it is."""
    stream = follow(studio)
    while not stream.readline().startswith(b"data:"):
        pass
    time.sleep(SETTLED_S)
    before = studio.processor_s()
    time.sleep(seconds)
    used = studio.processor_s() - before
    stream.close()
    return 100 * used / seconds


def page_bytes():
    """Return the gzipped bytes of what the first page loads, and of all files."""
    files = [one for one in page_folder().rglob("*") if one.suffix in (".js", ".css", ".html")]
    index = (page_folder() / "index.html").read_text()
    sizes = {one: len(gzip.compress(one.read_bytes(), 6)) for one in files}
    first = sum(size for one, size in sizes.items() if one.name in index or one.suffix == ".html")
    return first, sum(sizes.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--log-mb", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--watch", type=float, default=60, help="seconds a page follows the list")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    workspace = Workspace(arguments.out)
    for number in range(arguments.runs):
        states = (RunState.RUNNING, RunState.COMPLETED)
        make_run(workspace, f"20260101-{number:06d}-{number:04x}", *states)
    run = make_training(workspace, arguments.rows, log_bytes=arguments.log_mb * 1_000_000)

    with StartedStudio(arguments.out) as studio:
        ask = studio.ask
        question = json.dumps({"pipeline": pipeline_of(arguments.nodes)})
        curve = urlencode({"name": LOSS.name, "points": 1000})
        kinds = {
            f"check of {arguments.nodes} nodes": lambda: ask("check", question),
            f"50 newest of {arguments.runs:,} runs": lambda: ask("runs"),
            "50 in the order of names": lambda: ask("runs?sort=name"),
            "50 that contain a text": lambda: ask("runs?q=flowers+0"),
            f"1,000 points of {arguments.rows:,} rows": lambda: ask(
                f"runs/{TRAINING}/nodes/train/series/points?{curve}"
            ),
            f"a word at the end of a log of {arguments.log_mb} MB": lambda: ask(
                f"runs/{TRAINING}/nodes/train/logs/worker/search?text=Needle"
            ),
        }
        times = {kind: [] for kind in kinds}
        for work in kinds.values():
            work()  # the first makes the index
        time.sleep(3)
        for _ in range(arguments.rounds):
            for kind, work in kinds.items():
                began = time.perf_counter()
                work()
                times[kind].append(time.perf_counter() - began)
        watching = watching_percent(studio, arguments.watch)
        times["a change of state, until the client has it"] = tell_times(
            run, studio, arguments.rounds
        )
        resident = studio.memory_mib()
    for kind, seconds in times.items():
        low, median, high = (f"{value * 1000:.1f}" for value in statistics.quantiles(seconds, n=4))
        print(f"| {kind} | {median} ms ({low} to {high}), most {max(seconds) * 1000:.1f} |")
    first, everything = page_bytes()
    print(f"| processor while a page follows the list | {watching:.2f} % of a core |")
    print(f"| memory of the server, afterwards | {resident:.0f} MiB |")
    print(
        f"| first page, gzipped | {first / 1000:.0f} kB; all its files {everything / 1000:.0f} kB |"
    )


if __name__ == "__main__":
    main()
