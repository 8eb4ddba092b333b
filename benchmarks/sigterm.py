"""Ask a training on two processes to stop with SIGTERM, at random moments, and go on each time.

    python benchmarks/sigterm.py --signals 50 --out DIR

A run of `imageloom train --processes-per-node 2` gets SIGTERM at a random moment: the command, one
of its ranks, all ranks, or all together, in turn. One moment in four is drawn from the first
seconds of the command, in which Python and torch start; the others from those after the ranks began
to train. Asserted each time: exit code 143, a whole checkpoint, no process left. The run then goes
on until it completes, and its weights must be those of a run that nobody asked to stop, bit for
bit.
"""

import argparse
import collections
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from imageloom.files.publish import sha256_of_file
from imageloom.training.checkpoints.checkpoint import newest_checkpoint
from imageloom.training.run.directory import RunDirectory

STARTING_S = 10.0
TRAINING_S = 10.0
TIMEOUT_S = 300.0
TARGETS = ("command", "one rank", "all ranks", "everybody")
TRAINING = ["--model", "resnet18", "--epochs", "12", "--patience", "12", "--batch-size", "8"]
TRAINING += ["--precision", "float32", "--device", "cpu", "--workers", "0"]
COLOURS = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


def make_pictures(folder, per_class, seed):
    generator = np.random.default_rng(seed)
    for number, colour in enumerate(COLOURS):
        (folder / f"class{number}").mkdir(parents=True)
        for picture in range(per_class):
            noise = generator.integers(-120, 120, (32, 32, 3))
            pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class{number}" / f"{picture:03d}.png")


def start(run, folder):
    """Start the run, or go on with it."""
    command = [sys.executable, "-m", "imageloom", "train", "--processes-per-node", "2"]
    if (run / "run.json").is_file():
        command += ["--resume", str(run)]
    else:
        places = ["--train", folder / "train", "--validation", folder / "valid", "--out", run]
        command += [*TRAINING, *map(str, places)]
    with (folder / "screen.txt").open("ab") as screen:
        # Threads that wait for each other on a busy machine would take most of the time.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        return subprocess.Popen(command, stdout=screen, stderr=screen, env=environment)


def ranks_of(process):
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children()
        return [one for one in children if "imageloom.launch.rank" in one.cmdline()]
    return []


def ask(process, target, generator):
    """Send SIGTERM; return whom it went to."""
    ranks = ranks_of(process)
    if not ranks and target != "command":
        target = "command"  # the ranks are not there yet
    asked = {
        "command": [],
        "one rank": [generator.choice(ranks)] if ranks else [],
        "all ranks": ranks,
        "everybody": ranks,
    }[target]
    for rank in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            rank.send_signal(signal.SIGTERM)
    if target in ("command", "everybody"):
        process.send_signal(signal.SIGTERM)
    return target


def left_behind(run):
    """Return processes that still work on the run."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(run) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
    return found


def lives(run):
    """Return how often rank 0 has begun to train."""
    with contextlib.suppress(FileNotFoundError):
        return run.log.read_text(encoding="utf-8").count(" Starting at step ")
    return 0


def disturb(run, folder, target, generator):
    """Let the run live for a while and ask it to stop.

    Returns whom it went to, where it was, the seconds to its end and how it ended; None when the
    run completed before.
    """
    lives_before = lives(run)
    process = start(run.path, folder)
    life_s = generator.uniform(0, STARTING_S)
    if generator.random() > 0.25:
        while lives(run) == lives_before and process.poll() is None:
            time.sleep(0.02)
        life_s = generator.uniform(0, TRAINING_S)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(life_s)
        assert process.returncode == 0, process.returncode
        return None
    is_training = lives(run) > lives_before
    asked = ask(process, target, generator)
    at = time.monotonic()
    code = process.wait(TIMEOUT_S)
    seconds = time.monotonic() - at
    if run.record.is_file() and run.read().state == "completed":
        return None  # it was done when the signal came
    # Before the command listens, the signal itself ends it, which a shell calls 143 as well.
    assert code in (143, -signal.SIGTERM), (asked, code)
    assert not left_behind(run.path), left_behind(run.path)
    if not run.record.is_file():
        return asked, "before there was a run", seconds, code
    record = run.read()
    _, state, passed_over = newest_checkpoint(run.checkpoints)
    assert not passed_over, passed_over
    assert code < 0 or record.state == "interrupted", (asked, record.state)
    in_validation = state.steps_in_epoch == record.resolved.steps_per_epoch
    place = "in validation" if in_validation else "in training"
    return asked, place if is_training else "at the start", seconds, code


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, default=50)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    folder = args.out.absolute()
    make_pictures(folder / "train", 64, 1)
    make_pictures(folder / "valid", 32, 2)
    quiet = RunDirectory(folder / "quiet")
    assert start(quiet.path, folder).wait(TIMEOUT_S) == 0
    expected = sha256_of_file(quiet.model / "weights.safetensors")
    print(f"quiet run: {quiet.read().seconds:.1f} s", flush=True)
    generator = random.Random(args.seed)
    rows, runs = [], 0
    while len(rows) < args.signals:
        runs += 1
        run = RunDirectory(folder / f"run{runs}")
        while not run.record.is_file() or run.read().state != "completed":
            if len(rows) == args.signals:
                assert start(run.path, folder).wait(TIMEOUT_S) == 0
                break
            target = TARGETS[len(rows) % len(TARGETS)]
            row = disturb(run, folder, target, generator)
            if row is not None:
                rows.append(row)
                print(
                    f"{len(rows)}: {row[0]}, {row[1]}: exit {row[3]} after {row[2]:.2f} s",
                    flush=True,
                )
        assert sha256_of_file(run.model / "weights.safetensors") == expected, run.path
        print(f"run {runs} has the weights of the quiet run", flush=True)
    seconds = [row[2] for row in rows]
    print(f"asked: {dict(collections.Counter(row[0] for row in rows))}")
    print(f"where: {dict(collections.Counter(row[1] for row in rows))}")
    print(f"exit codes: {dict(collections.Counter(row[3] for row in rows))}")
    print(
        f"{runs} runs; seconds to the end: median {statistics.median(seconds):.2f}, "
        f"most {max(seconds):.2f}"
    )


if __name__ == "__main__":
    main()
