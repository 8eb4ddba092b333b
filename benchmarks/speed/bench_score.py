"""Scoring real pictures next to inference on ready tensors in memory, which nothing can be above.

    python benchmarks/speed/bench_score.py --pictures PHOTOS --work DIR

Both run in turn, in float32 and in bfloat16, with batches of 64. Images/s are those from the end of
the first batch to the end of the last; seconds are those of the whole command, from the start of
Python to the table on the disk. Short by default (192 pictures); the committed results are those of
--full --rounds 5 (1,024).
"""

import shutil
import sys

from networks import JOBS
from pictures import NUM_CLASSES, folders_for
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from watched import HERE, watch

BATCH = 64
PEERS = HERE / "peers"
KINDS = {
    f"{what}, {precision}": (what, precision)
    for precision in ("float32", "bfloat16")
    for what in ("ceiling", "imageloom")
}


def trained(network, folder, work):
    """Train for one epoch on few pictures, for a model that can score; return the run."""
    run = work / f"model_{network}"
    if not (run / "model").is_dir():
        shutil.rmtree(run, ignore_errors=True)
        words = ["--model", network, "--data", folder, "--epochs", 1, "--out", run]
        watch([sys.executable, "-m", "imageloom", "train", *words], work / "notes")
    return run


def run(kind, network, folder, arguments):
    what, precision = KINDS[kind]
    work = arguments.work
    if what == "ceiling":
        count = sum(1 for one in folder.rglob("*") if one.is_file())
        words = [
            PEERS / "ceiling.py",
            network,
            count // BATCH,
            2,
            NUM_CLASSES,
            "--score",
            precision,
        ]
    else:
        model = trained(
            network, folders_for(JOBS[network], {"train": 32, "val": 10}, arguments), work
        )
        table_file = work / "scores.parquet"
        table_file.unlink(missing_ok=True)
        words = [PEERS / "score.py", model, folder, table_file, precision]
    seen = watch([sys.executable, *words], work / "notes", memory_every_s=0.5)
    speeds = [
        float(line.split()[1]) for line in seen.output.splitlines() if line.startswith("images/s")
    ]
    return {"speed": speeds[-1], "seconds": seen.seconds, "memory": seen.peak_bytes}


def main():
    parser = parser_of(__doc__)
    parser.add_argument(
        "--networks",
        nargs="+",
        default=["resnet18"],
        choices=["resnet18", "resnet50", "densenet121"],
    )
    arguments = parser.parse_args()
    count = 1024 if arguments.full else 192
    sections = ["# Scoring next to inference alone"]
    for network in arguments.networks:
        folder = folders_for(JOBS[network], {"test": count}, arguments) / "test"
        found = Found()
        for number, kind in in_turn(list(KINDS), arguments.rounds):
            values = run(kind, network, folder, arguments)
            found.add(kind, **values)
            print(
                number,
                network,
                kind,
                {key: round(one, 2) for key, one in values.items()},
                flush=True,
            )
        rows = [
            [
                kind,
                median_and_spread(found.of(kind, "speed")),
                median_and_spread(found.ratios(kind, "speed", f"ceiling, {precision}"), 3),
                median_and_spread(found.of(kind, "seconds")),
                median_and_spread(found.of(kind, "memory"), 2, unit=2**30),
            ]
            for kind, (_, precision) in KINDS.items()
        ]
        header = ["", "images/s", "share of the ceiling", "s in all", "peak memory, GiB (PSS)"]
        sections += [
            f"## {network}, 224 px, {count:,} pictures",
            f"Median of {arguments.rounds} (least to most).",
            table(header, rows),
        ]
    publish("score", arguments, parser, sections)


if __name__ == "__main__":
    main()
