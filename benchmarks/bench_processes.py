"""What two processes cost and gain against one with the same cores, next to plain torchrun DDP.

    python benchmarks/bench_processes.py --train DIR --validation DIR --out DIR [--rounds 3]

Four ways to train the same network on the same pictures with the same pictures per step, in turn,
so that other load on the machine meets all of them: Imageloom on one process with all cores, on two
with half of them each, and the plain script plain_ddp.py on one and two processes of torchrun. The
pictures per second are those of the epochs after the first; the seconds are those of the whole
command, from the start of Python to its end.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from plain_ddp import BATCH, EPOCHS, RATE, SIZE

PLAIN = Path(__file__).with_name("plain_ddp.py")


def timed(command, processes):
    threads = str(max(1, os.cpu_count() // processes))
    began = time.monotonic()
    done = subprocess.run(
        [str(word) for word in command],
        env=os.environ | {"OMP_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return time.monotonic() - began, done.stdout


def ours(arguments, processes):
    run = arguments.out / f"run_{processes}"
    shutil.rmtree(run, ignore_errors=True)
    seconds, _ = timed(
        [
            *(sys.executable, "-m", "imageloom", "train", "--model", "resnet18", "--out", run),
            *("--train", arguments.train, "--validation", arguments.validation),
            *("--image-size", SIZE, "--epochs", EPOCHS, "--patience", EPOCHS),
            *("--batch-size", BATCH // processes, "--learning-rate", RATE / processes),
            *("--precision", "float32", "--workers", 0, "--processes-per-node", processes),
        ],
        processes,
    )
    log = (run / "logs" / "70_driver_log_0.txt").read_text()
    return [float(rate) for rate in re.findall(r"Epoch \d+ of .*?([\d.]+) images/s", log)], seconds


def plain(arguments, processes):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    seconds, said = timed(
        [*launcher, f"--nproc-per-node={processes}", PLAIN, arguments.train, arguments.validation],
        processes,
    )
    return [float(rate) for rate in re.findall(r"images/s ([\d.]+)", said)], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("train", "validation", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores")
    found = {}
    for number in range(arguments.rounds):
        for name, function in (("imageloom", ours), ("torchrun", plain)):
            for processes in (1, 2):
                rates, seconds = function(arguments, processes)
                assert len(rates) == EPOCHS, rates
                found.setdefault((name, processes), []).append(
                    (statistics.mean(rates[1:]), seconds)
                )
                print(number, name, processes, json.dumps(found[name, processes][-1]), flush=True)
    for (name, processes), rows in found.items():
        for place, what in enumerate(("images/s", "s in all")):
            values = [row[place] for row in rows]
            print(
                f"{name} {processes}: {statistics.mean(values):.1f} {what}, "
                f"{min(values):.1f} to {max(values):.1f}"
            )


if __name__ == "__main__":
    main()
