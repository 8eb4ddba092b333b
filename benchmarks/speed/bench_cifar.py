"""How long a GPU takes from pictures to 94 % on CIFAR-10, and what the training needs besides.

    python benchmarks/speed/bench_cifar.py --small-pictures CIFAR --full --rounds 3

All 50,000 pictures of 32 px, ResNet-18 with the small stem, 512 pictures per step; top-1 is that of
the 10,000 test pictures after each epoch, without augmentation or averaging. Seconds are those of
the whole command, from the start of Python. Without a GPU nothing is measured: two cores would take
hours. --device cpu tries the script out there, with a few hundred pictures.
"""

import json
import shutil
import sys

import torch
from networks import JOBS
from pictures import folders_for
from report import parser_of, publish
from rounds import Found, median_and_spread, table
from watched import watch

ASKED = 0.94
TOP1 = "Top-1 validation accuracy"
# The rate that 64 pictures are trained with (bench_textbook.py), in proportion to their number.
RECIPE = {
    "--epochs": 30,
    "--patience": 30,
    "--learning-rate": 0.4,
    "--warmup-epochs": 3,
    "--weight-decay": 0.0005,
    "--label-smoothing": 0.1,
}


def run(folder, job, arguments):
    """Train once; return top-1 of each epoch, seconds until the asked one, and in all."""
    out = arguments.work / "cifar" / "run"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir(parents=True)
    words = ["-m", "imageloom", "train", "--model", job.network, "--data", folder, "--out", out]
    words += ["--stem", "small", "--batch-size", job.batch_size, "--device", arguments.device]
    recipe = RECIPE if arguments.full else RECIPE | {"--epochs": 2, "--warmup-epochs": 0}
    words += [word for option in recipe.items() for word in option]
    seen = watch([sys.executable, *words], arguments.work / "notes", memory_every_s=1.0)
    lines = (out / "events.jsonl").read_text().splitlines()
    top1 = [event["value"] for event in map(json.loads, lines) if event.get("name") == TOP1]
    reached = next((number for number, one in enumerate(top1, start=1) if one >= ASKED), None)
    return {
        "seconds": seen.seconds,
        "top1": top1[-1],
        "seconds_per_epoch": seen.seconds / len(top1),
        "epochs_until": float("nan") if reached is None else reached,
    }


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    if arguments.device != "cpu" and not torch.cuda.is_available():
        print("bench_cifar.py: torch sees no GPU on this machine, so nothing was measured.")
        return
    job = JOBS["resnet18-small-512" if arguments.full else "resnet18-small"]
    counts = {"train": 50_000, "val": 10_000} if arguments.full else {"train": 256, "val": 64}
    folder, found = folders_for(job, counts, arguments), Found()
    for number in range(arguments.rounds):
        values = run(folder, job, arguments)
        print(number, values, flush=True)
        found.add("run", **values)
    rows = [
        ["top-1 after the last epoch, %", median_and_spread(found.of("run", "top1"), 2, unit=0.01)],
        [f"epochs until {ASKED:.0%}", median_and_spread(found.of("run", "epochs_until"), 0)],
        ["seconds of the whole command", median_and_spread(found.of("run", "seconds"))],
        ["seconds per epoch", median_and_spread(found.of("run", "seconds_per_epoch"), 2)],
    ]
    sections = [
        "# CIFAR-10 from pictures to a trained network",
        f"{counts['train']:,} pictures, {counts['val']:,} for validation, {job.batch_size} per "
        f"step; median of {arguments.rounds} (least to most).",
        table(["", ""], rows),
    ]
    publish("cifar", arguments, parser, sections)


if __name__ == "__main__":
    main()
