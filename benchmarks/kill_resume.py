"""Kill a training run with SIGKILL at random moments, resume it each time, compare the weights.

    python benchmarks/kill_resume.py --quiet RUN --kills 20 --out DIR

RUN is a completed run; the disturbed one is started with what ``run.json`` says was asked there,
except for a checkpoint every few seconds, so that most lives begin in the middle of an epoch. When
a checkpoint is written must not change the weights. Each life lasts 8 seconds, in which Python and
torch start, and a random time more, by default 12 seconds on average.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

CHECKPOINT_MINUTES = 0.1


def command(record, quiet, out):
    """Return the command line that starts the same run somewhere else."""
    architecture = record["model"]["architecture"]
    flags = []
    for name, value in {**record["asked"], "checkpoint_minutes": CHECKPOINT_MINUTES}.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            flags += [flag if value else flag.replace("--", "--no-", 1)]
        elif value is not None:
            flags += [flag, str(value)]
    return [
        *(sys.executable, "-m", "imageloom", "train"),
        *("--model", architecture["variant"], "--stem", architecture["options"]["stem"]),
        *(
            "--train",
            str(quiet / "training_images"),
            "--validation",
            str(quiet / "validation_images"),
        ),
        *("--out", str(out)),
        *flags,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--mean-life-s", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    record = json.loads((args.quiet / "run.json").read_text())
    generator = random.Random(args.seed)
    kills = 0
    while True:
        state = None
        if (args.out / "run.json").exists():
            state = json.loads((args.out / "run.json").read_text())["state"]
            argv = [sys.executable, "-m", "imageloom", "train", "--resume", str(args.out)]
        else:
            argv = command(record, args.quiet, args.out)
        if state == "completed":
            break
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        life_s = 8 + generator.uniform(0, 2 * args.mean_life_s) if kills < args.kills else 10**6
        try:
            process.wait(timeout=life_s)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            checkpoints = sorted(p.name for p in args.out.glob("checkpoints/step-*"))
            print(
                f"kill {kills} after {life_s:.1f} s; newest checkpoint {checkpoints[-1:]}",
                flush=True,
            )
        time.sleep(0.1)
    name = "model/weights.safetensors"
    same = (args.out / name).read_bytes() == (args.quiet / name).read_bytes()
    print(f"{kills} kills; weights {'equal bit for bit' if same else 'DIFFER'}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
