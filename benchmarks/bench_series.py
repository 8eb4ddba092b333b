"""How long it takes to make 1,000 points of a curve of 1,000,000 rows, and what a row costs.

    python benchmarks/bench_series.py --rows 1000000 --rounds 30 --out DIR

DIR is a new folder. Kinds of reads alternate in the same process; each is checked once against a
plain count over all values. Writing is timed over five curves at a time, as a training has them.
"""

import argparse
import json
import math
import os
import platform
import random
import statistics
import time
from pathlib import Path

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SeriesName
from imageloom.files.series.read import csv_lines, list_series, read_series, thin
from imageloom.files.series.writer import SeriesWriter, levels_file

POINTS = 1000
NAMES = [SeriesName(f"curve {number}", "", "step") for number in range(5)]


def write(folder, num_rows):
    """Write the curves; return the seconds of each call of append, without the draws."""
    draw, seconds = random.Random(0), []
    with SeriesWriter(folder, NAMES, rank=0, error=CannotResumeError) as writer:
        for step in range(1, num_rows + 1):
            values = {name: draw.random() for name in NAMES}
            began = time.perf_counter()
            writer.append(values, step=step, epoch=step / 1000)
            seconds.append(time.perf_counter() - began)
    return seconds


def write_lines(file, num_rows):
    """Write one curve as JSON lines, as events.jsonl has it."""
    draw = random.Random(0)
    with file.open("w") as lines:
        for step in range(1, num_rows + 1):
            row = {"name": "curve", "value": draw.random(), "epoch": step / 1000, "step": step}
            lines.write(json.dumps(row | {"time": time.time()}) + "\n")


def check(buckets, values):
    assert sum(one.count for one in buckets) == len(values)
    for one in buckets:
        part = values[one.first_step - 1 : one.last_step]
        assert (one.min, one.max) == (min(part), max(part))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()}")
    seconds = write(arguments.out, arguments.rows)
    tell("one step of five curves written", seconds)
    series, lines = list_series(arguments.out), arguments.out / "lines.jsonl"
    write_lines(lines, arguments.rows)
    path, bare = series[0].path, arguments.out / "bare.rows"
    bare.write_bytes(path.read_bytes())  # without levels beside it
    values = [row.value for row in read_series(path, 0, arguments.rows)]
    end = math.inf
    check(thin(path, 0, end, POINTS), values)
    check(thin(bare, 0, end, POINTS), values)
    assert levels_file(path).stat().st_size == arguments.rows // 256 * 32
    kinds = {
        f"all rows to {POINTS:,} points": lambda: thin(path, 0, end, POINTS),
        f"all rows to {POINTS:,} points, no file of levels": lambda: thin(bare, 0, end, POINTS),
        f"a tenth of the rows to {POINTS:,} points": lambda: thin(
            path, arguments.rows // 2, arguments.rows * 6 // 10, POINTS
        ),
        "the newest 100 rows": lambda: read_series(path, arguments.rows - 100, arguments.rows),
        "the names and lengths of all curves": lambda: list_series(arguments.out),
    }
    measure(kinds, arguments.rounds)
    slow = {
        "all rows of one curve as CSV": lambda: sum(map(len, csv_lines(series[:1]))),
        "the same rows read from JSON lines": lambda: [
            json.loads(line)["value"] for line in lines.open()
        ],
    }
    measure(slow, 3)


def measure(kinds, rounds):
    times = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, work in kinds.items():
            began = time.perf_counter()
            work()
            times[kind].append(time.perf_counter() - began)
    for kind, seconds in times.items():
        tell(kind, seconds)


def tell(kind, seconds):
    low, median, high = (f"{value * 1000:.4g}" for value in statistics.quantiles(seconds, n=4))
    print(f"| {kind} | {median} ms ({low} to {high}), most {max(seconds) * 1000:.4g} |")


if __name__ == "__main__":
    main()
