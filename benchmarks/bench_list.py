"""How long listing 10,000 runs takes, when nothing changed and when one run did.

    python benchmarks/bench_list.py --runs 10000 --rounds 15 --out DIR

DIR is a new workspace; making its runs takes a minute or two. Each kind of list is timed in turn.
"""

import argparse
import itertools
import statistics
import time
from pathlib import Path

from imageloom.pipeline.index import sweep
from imageloom.pipeline.index.index import open_index
from imageloom.pipeline.index.order import RunOrder
from imageloom.pipeline.run_record import RunRecord
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import RunState

NUM_INTERRUPTED = 50


def make_run(workspace, run_id, *states):
    run = workspace.run(run_id)
    record = RunRecord(
        id=run_id,
        name=f"flowers {run_id[-4:]}",
        pipeline={"format_version": 2, "name": "flowers"},
        base="/pictures",
        resolved={},
        wanted=(),
        created=1_800_000_000.5,
    )
    run.create(record)
    for state in states:
        run.append_run(state)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    workspace = Workspace(arguments.out)
    for number in range(arguments.runs):
        ended = () if number % (arguments.runs // NUM_INTERRUPTED) == 0 else (RunState.COMPLETED,)
        make_run(workspace, f"20260101-{number:06d}-{number:04x}", RunState.RUNNING, *ended)
    index = open_index(None, workspace)
    index.sync_all()
    time.sleep(sweep._SETTLED_AFTER_S)
    index.sync_all()

    extra = (f"20270101-{number:06d}-0000" for number in itertools.count())
    kinds = {
        "50 newest": lambda: index.list(),
        "50 in the order of names": lambda: index.list(order=RunOrder.NAME),
        "50 longest": lambda: index.list(order=RunOrder.DURATION),
        "50 that contain a text": lambda: index.list(text="flowers 0"),
        "all that are interrupted": lambda: index.list(state=RunState.INTERRUPTED),
        "a full sweep": index.sync_all,
    }
    times = {kind: [] for kind in [*kinds, "50 newest, just after a run was made"]}
    for _ in range(arguments.rounds):
        for kind, work in kinds.items():
            start = time.perf_counter()
            work()
            times[kind].append(time.perf_counter() - start)
    for _ in range(arguments.rounds):
        make_run(workspace, next(extra), RunState.RUNNING, RunState.COMPLETED)
        start = time.perf_counter()
        index.list()
        times["50 newest, just after a run was made"].append(time.perf_counter() - start)
    for kind, seconds in times.items():
        low, median, high = (f"{value * 1000:.1f}" for value in statistics.quantiles(seconds, n=4))
        print(f"| {kind} | {median} ms ({low} to {high}), most {max(seconds) * 1000:.1f} |")


if __name__ == "__main__":
    main()
