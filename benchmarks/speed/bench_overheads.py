"""What checkpoints, events, progress and SHA-256 cost a training, as shares of its epochs.

    python benchmarks/speed/bench_overheads.py --pictures PHOTOS --work DIR

A training of ResNet-18 as from a terminal, with clocks around the functions that write and show
(peers/overheads.py). SHA-256 is timed by itself, over the files of an epoch in the page cache, with
one core. Short by default; the committed results are those of --full --rounds 3 (1,008 pictures, 3
epochs).
"""

import contextlib
import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
import time

from networks import JOBS
from pictures import folders_for
from report import parser_of, publish
from rounds import Found, median_and_spread, table
from watched import HERE, environment

PARTS = ["checkpoints", "events and curves", "progress", "SHA-256"]


def run(folder, epochs, arguments):
    """Train once; return the seconds of each part over those of the epochs."""
    out = arguments.work / "overheads"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    words = ["train", "--model", "resnet18", "--data", folder, "--out", out / "run"]
    words += ["--epochs", epochs, "--patience", epochs]
    script = HERE / "peers" / "overheads.py"
    on_terminal([sys.executable, script, out / "seconds.json", *words], environment(out))
    seconds = json.loads((out / "seconds.json").read_text())
    # Of each file once in a run: later epochs look whether it has changed since.
    seconds["SHA-256"] = hashing_seconds(folder / "train")
    shares = {part: seconds[part] / seconds["epochs"] for part in PARTS}
    return shares | {"together": sum(shares.values()), "epoch": seconds["epochs"] / epochs}


def on_terminal(words, env):
    """Run a command that shows its progress to a pseudo-terminal, as it would to a person."""
    ours, its = pty.openpty()
    words = [str(word) for word in words]
    with subprocess.Popen(words, env=env, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that nobody writes there any more
            while part := os.read(ours, 65536):
                shown = (shown + part)[-4000:]
    os.close(ours)
    if process.returncode:
        sys.exit(shown.decode(errors="replace"))


def hashing_seconds(folder):
    seconds = 0.0
    for file in folder.rglob("*.jpg"):
        content = file.read_bytes()
        began = time.perf_counter()
        hashlib.sha256(content).digest()
        seconds += time.perf_counter() - began
    return seconds


def main():
    parser = parser_of(__doc__)
    arguments = parser.parse_args()
    job, epochs = JOBS["resnet18"], 3 if arguments.full else 2
    count = job.batch_size * (63 if arguments.full else 6)
    folder = folders_for(job, {"train": count, "val": 200 if arguments.full else 40}, arguments)
    found = Found()
    for number in range(arguments.rounds):
        values = run(folder, epochs, arguments)
        print(number, {name: round(value, 5) for name, value in values.items()}, flush=True)
        for name, value in values.items():
            found.add(name, value=value)
    rows = [
        [name, median_and_spread(found.of(name, "value"), 3, unit=0.01)]
        for name in [*PARTS, "together"]
    ]
    sections = [
        "# What is not training, as a share of the epochs",
        f"{count:,} pictures, {epochs} epochs of "
        f"{median_and_spread(found.of('epoch', 'value'))} s; "
        f"median of {arguments.rounds} (least to most).",
        table(["", "% of the epochs"], rows),
    ]
    publish("overheads", arguments, parser, sections)


if __name__ == "__main__":
    main()
