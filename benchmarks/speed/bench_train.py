"""Training on real pictures next to other systems: images/s, share of the ceiling, memory, seconds.

    python benchmarks/speed/bench_train.py --pictures PHOTOS --small-pictures CIFAR --work DIR

Each system is one command, from a folder of pictures to a saved network: it scans, trains and
validates. The ceiling is the same step on ready tensors in memory; shares are of its epochs after
the first. How fast an epoch was is noted by the same means in all of them
(marks/sitecustomize.py): from its begin to its last step, waiting for pictures included, validation
not. timm's train.py is not in its package: take it from timm's repository,
huggingface/pytorch-image-models, and name it with --timm-train. Nothing uses the network.

Short by default: epochs of 96 to 1,280 pictures. --full takes 1,008 and 2,560.
"""

import compileall
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from networks import JOBS, ON_A_CPU
from pictures import NUM_CLASSES, folders_for
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from systems import CEILING, OURS, SYSTEMS, Training
from watched import Failed, epochs_of, watch

import imageloom

HEADER = [
    "",
    "images/s, first epoch",
    "images/s, later epochs",
    "share of the ceiling, first",
    "share of the ceiling, later",
    "peak memory, GiB (PSS)",
    "s to the first step",
    "s to the end",
]
AGAINST_BEST = (
    ("first", "images/s of the first epoch", max),
    ("later", "images/s of later epochs", max),
    ("memory", "peak memory", min),
    ("first_step", "seconds to the first step", min),
    ("seconds", "seconds to the end", min),
)


@dataclass(frozen=True)
class Sizes:
    """How much is trained; an epoch has whole batches, because some systems drop the rest."""

    epochs: int
    steps: int
    validation: int


def sizes_of(job, arguments):
    if arguments.full:
        sizes = Sizes(epochs=3, steps=40 if job.is_small else 63, validation=200)
    else:
        sizes = Sizes(epochs=2, steps=job.short_steps, validation=40)
    return Sizes(arguments.epochs or sizes.epochs, arguments.steps or sizes.steps, sizes.validation)


def run(system, wish, memory_every_s):
    """Train once; return what was measured."""
    shutil.rmtree(wish.out, ignore_errors=True)
    wish.out.mkdir(parents=True)
    command = [sys.executable, *SYSTEMS[system](wish)]
    seen = watch(command, wish.out / "notes", memory_every_s=memory_every_s)
    epochs = epochs_of(seen.marks, wish.steps)
    if len(epochs) != wish.epochs:
        sys.exit(f"{system} trained {len(epochs)} epochs of {wish.steps} steps, not {wish.epochs}.")
    first, *later = [wish.steps * wish.job.batch_size / (ended - began) for began, ended in epochs]
    shutil.rmtree(wish.out)
    return {
        "first": first,
        "later": statistics.mean(later or [first]),
        "memory": seen.peak_bytes,
        "first_step": next(at for word, at in seen.marks if word == "step"),
        "seconds": seen.seconds,
    }


def rows_of(found):
    for system in found.names():
        yield [
            system,
            median_and_spread(found.of(system, "first")),
            median_and_spread(found.of(system, "later")),
            median_and_spread(found.ratios(system, "first", CEILING, "later"), 3),
            median_and_spread(found.ratios(system, "later", CEILING, "later"), 3),
            median_and_spread(found.of(system, "memory"), 2, unit=2**30),
            median_and_spread(found.of(system, "first_step")),
            median_and_spread(found.of(system, "seconds")),
        ]


def against_best_peer(found):
    """Return a line for each measure: ours over the best of the others in the same round."""
    peers = [name for name in found.names() if name not in (CEILING, OURS)]
    if OURS not in found.names() or not peers:
        return ""
    lines = []
    for measure, text, best in AGAINST_BEST:
        rounds = zip(*(found.of(peer, measure) for peer in peers), strict=True)
        theirs = [best(values) for values in rounds]
        ratios = [a / b for a, b in zip(found.of(OURS, measure), theirs, strict=True) if b]
        lines.append(f"- {text}: {median_and_spread(ratios, 3)}")
    return "Imageloom over the best of the others in the same round:\n\n" + "\n".join(lines)


def parsed():
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", choices=JOBS, default=list(ON_A_CPU))
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--workers", type=int, default=2, help="reading processes of the others")
    parser.add_argument("--our-workers", type=int, help="by default as Imageloom chooses")
    parser.add_argument("--epochs", type=int, help="in place of 2, or of 3 with --full")
    parser.add_argument("--steps", type=int, help="of one epoch, in place of those of the sizes")
    parser.add_argument(
        "--memory-every", type=float, default=1.0, help="seconds between two looks; 0: none"
    )
    arguments = parser.parse_args()
    if "timm" in arguments.systems and arguments.timm_train is None:
        print("timm is left out: name its train.py with --timm-train (see the first lines).")
        arguments.systems.remove("timm")
    return parser, arguments


def compare(name, arguments):
    """Train one network in all systems in turn; return the text of its section."""
    job = JOBS[name]
    sizes = sizes_of(job, arguments)
    counts = {"train": sizes.steps * job.batch_size, "val": sizes.validation}
    folder, found, failed = folders_for(job, counts, arguments), Found(), {}
    for number, system in in_turn(arguments.systems, arguments.rounds):
        wish = Training(
            name=name,
            folder=folder,
            out=arguments.work / "train" / system.replace(" ", "-"),
            epochs=sizes.epochs,
            steps=sizes.steps,
            device="cuda" if torch.cuda.is_available() else "cpu",
            workers=arguments.workers,
            our_workers=arguments.our_workers,
            timm_train=arguments.timm_train,
        )
        if system in failed:
            continue
        try:
            values = run(system, wish, arguments.memory_every)
        except Failed as error:  # the others took their time, and say something without it
            if system in (CEILING, OURS):
                raise
            print(error, flush=True)
            found.leave_out(system)
            failed[system] = str(error).splitlines()[-1]
            continue
        found.add(system, **values)
        print(number, name, system, {key: round(one, 3) for key, one in values.items()}, flush=True)
    return [
        f"## {name}, {job.size} px, {job.batch_size} pictures per step",
        f"{counts['train']:,} training pictures in {NUM_CLASSES} classes, {counts['val']:,} for "
        f"validation, {sizes.epochs} epochs; median of {arguments.rounds} (least to most).",
        table(HEADER, rows_of(found)),
        against_best_peer(found),
        *(f"{system} did not train: `{why}`" for system, why in failed.items()),
    ]


def main():
    parser, arguments = parsed()
    # As an installed package is; one that is used in place is compiled when it is first imported.
    compileall.compile_dir(Path(imageloom.__file__).parent, quiet=1)
    sections = ["# Training next to other systems"]
    for name in arguments.networks:
        sections += filter(None, compare(name, arguments))
    publish("train", arguments, parser, sections)


if __name__ == "__main__":
    main()
