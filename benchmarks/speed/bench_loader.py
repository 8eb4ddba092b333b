"""From picture files to normalised batches: images/s of one core, next to other systems.

    python benchmarks/speed/bench_loader.py --pictures PHOTOS --small-pictures CIFAR --work DIR

Each pipeline runs in a process of its own with one thread (peers/load.py). What counts is processor
time, all threads included, because others use the machine too; time on the wall stands beside it.
Reading is from the page cache. What each part of Imageloom's way takes stands in a table of its
own, as its readers count it in every training. Short by default; the committed results are those of
--full --rounds 5.
"""

import json
import shutil
import sys

from networks import JOBS
from pictures import folders_for, linked_copy
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from watched import HERE, watch

CACHED = "imageloom_cached"
PIPELINES = ["imageloom", CACHED, "torchvision", "timm", "fastai", "ultralytics"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Batches that are timed, and two more; by the name of a network with such pictures.
FULL = {"resnet18": 63, "resnet18-small": 80}
SHORT = {"resnet18": 8, "resnet18-small": 20}


def run(pipeline, job, folder, work):
    shutil.rmtree(work, ignore_errors=True)
    own = linked_copy(folder, work / "pictures")
    words = [HERE / "peers" / "load.py", pipeline, own, job.size, job.batch_size]
    seen = watch([sys.executable, *words], work / "notes", env=ONE_THREAD)
    shutil.rmtree(work)
    measured = json.loads(seen.output.splitlines()[-1])
    rest = measured["seconds"] - sum(measured["parts"].values())
    speeds = {
        "per_core": measured["images"] / measured["cpu_seconds"],
        "per_second": measured["images"] / measured["seconds"],
    }
    parts = {**measured["parts"], "normalising and the rest": rest}
    return speeds, {part: seconds / measured["seconds"] for part, seconds in parts.items()}


def compare(name, arguments):
    job = JOBS[name]
    batches = (FULL if arguments.full else SHORT)[name]
    folder = folders_for(job, {"train": (batches + 2) * job.batch_size}, arguments)
    found, shares = Found(), Found()
    for number, pipeline in in_turn(arguments.pipelines, arguments.rounds):
        values, parts = run(pipeline, job, folder, arguments.work / "loader")
        found.add(pipeline, **values)
        shares.add(pipeline, **parts)
        print(number, name, pipeline, {key: round(one) for key, one in values.items()}, flush=True)
    rows = [
        [
            pipeline,
            median_and_spread(found.of(pipeline, "per_core"), 0),
            median_and_spread(found.of(pipeline, "per_second"), 0),
            median_and_spread(found.ratios("imageloom", "per_core", pipeline), 2),
            median_and_spread(found.ratios(CACHED, "per_core", pipeline), 2),
        ]
        for pipeline in arguments.pipelines
    ]
    header = [
        f"{job.size} px, batches of {job.batch_size}",
        "images per second of processor time",
        "images/s on the wall",
        "Imageloom over it",
        "from the picture cache over it",
    ]
    return "\n\n".join([table(header, rows), *table_of_parts(shares)])


def table_of_parts(shares):
    """Return a table of what the readers of Imageloom count, or none where they did not run."""
    names = [name for name in ("imageloom", CACHED) if name in shares.names()]
    parts = dict.fromkeys(part for name, part in shares.values if name in names)
    rows = [
        [part, *(median_and_spread(shares.of(name, part), 1, unit=0.01) for name in names)]
        for part in parts
    ]
    return [table(["% of the seconds", *names], rows)] if names else []


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--pipelines", nargs="+", choices=PIPELINES, default=PIPELINES)
    parser.add_argument("--sizes", nargs="+", choices=SHORT, default=list(SHORT))
    arguments = parser.parse_args()
    sections = [
        "# From files to batches, one core",
        f"Median of {arguments.rounds} (least to most); ratios are of processor time.",
        *(compare(name, arguments) for name in arguments.sizes),
        f"{CACHED} reads scaled copies that an earlier epoch made (picture_cache is 'resized').",
    ]
    publish("loader", arguments, parser, sections)


if __name__ == "__main__":
    main()
