"""How long it takes until something happens: help, the first step, many rows, many files.

    python benchmarks/speed/bench_start.py --pictures PHOTOS --small-pictures CIFAR --work DIR

Every line is a process, in turn, with compiled code and files in the page cache: the first round is
not counted. What torch alone needs to be imported stands beside, and how long torchvision takes to
list the same files. Short by default (13,000 rows, 2,000 files); the committed results are those of
--full --rounds 5 (1,300,000 rows, 100,000 files).
"""

import itertools
import json
import shutil
import sys

import numpy as np
import pyarrow as pa
from networks import JOBS
from pictures import folders_for, small_folders, whole
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from watched import HERE, watch

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import SCHEMA

FULL = {"rows": 1_300_000, "files": 100_000}
SHORT = {"rows": 13_000, "files": 2_000}
NUM_CLASSES, FILES_LINKED = 1000, 2000
PYTHON = sys.executable
OPEN = HERE / "peers" / "open_pictures.py"


def image_directory(num_rows, out):
    """Write an image directory whose pictures are only rows; return it."""
    root = out.with_name("no-pictures")
    root.mkdir(exist_ok=True)
    if out.is_dir():
        return out
    draw = np.random.default_rng(0)
    labels = np.arange(num_rows) % NUM_CLASSES
    columns = {
        "path": [b"n%08d/n%08d_%d.JPEG" % (label, label, n) for n, label in enumerate(labels)],
        "label": labels.astype(np.int32),
        "width": np.full(num_rows, 500, np.int32),
        "height": np.full(num_rows, 375, np.int32),
        "orientation": np.ones(num_rows, np.int8),
        "format": ["JPEG"] * num_rows,
        "size_bytes": draw.integers(20_000, 300_000, num_rows),
        "sha256": [draw.bytes(32) for _ in range(num_rows)],
        "group": [None] * num_rows,
    }
    arrays = [pa.array(columns[field.name], type=field.type) for field in SCHEMA]
    classes = tuple(f"n{number:08}" for number in range(NUM_CLASSES))
    index = pa.Table.from_arrays(arrays, schema=SCHEMA)
    ImageDirectory(classes=classes, index=index, root=root).save(out)
    return out


def many_files(num_files, arguments):
    """Write a folder of small pictures, most of them further names of the same files."""
    work = arguments.work
    few = small_folders(arguments.small_pictures, work / "few", {"train": FILES_LINKED}) / "train"
    out = work / f"files_{num_files}"
    if out.is_dir():
        return out
    files = sorted(few.glob("*/*"))
    with whole(out) as unfinished:
        for number, file in zip(range(num_files), itertools.cycle(files), strict=False):
            folder = unfinished / file.parent.name
            folder.mkdir(exist_ok=True)
            (folder / f"{number:07}{file.suffix}").hardlink_to(file)
    return out


def commands(sizes, arguments):
    """Return what is run, by what a reader calls it."""
    out, counts = arguments.work / "start", {"train": 32, "val": 10}
    photos = folders_for(JOBS["resnet18"], counts, arguments)
    rows, files = sizes["rows"], sizes["files"]
    folder = many_files(files, arguments)
    job = ["--model", "resnet18", "--data", photos, "--epochs", 1]
    return {
        "imageloom --help": ["-m", "imageloom", "--help"],
        "import torch": ["-c", "import torch"],
        "imageloom train, to its first step": [
            *("-m", "imageloom", "train", *job, "--out", out / "run"),
        ],
        f"an image directory of {rows:,} rows is opened": [
            *(OPEN, image_directory(rows, arguments.work / f"rows_{rows}")),
        ],
        f"{files:,} files of 32 px are converted": [
            *("-m", "imageloom", "data", "convert", folder, "--out", out / "converted"),
        ],
        f"the same {files:,} files are opened once more": [OPEN, folder],
        f"torchvision lists the same {files:,} files": [OPEN, folder, "torchvision"],
    }


def run(words, work):
    """Run a command; return its seconds, or those until its first step, and its memory."""
    shutil.rmtree(work / "start", ignore_errors=True)
    (work / "start").mkdir(parents=True)
    # Conversions are kept from one round to the next, as they are for a person.
    env = {"IMAGELOOM_HOME": str(work / "home")}
    seen = watch([PYTHON, *words], work / "notes", memory_every_s=0.1, env=env)
    if words[0] == OPEN:
        said = json.loads(seen.output.splitlines()[-1])
        return {"seconds": said["seconds"], "memory": said["memory"]}
    first_step = (at for word, at in seen.marks if word == "step")
    return {"seconds": next(first_step, seen.seconds), "memory": seen.peak_bytes}


def main():
    parser = parser_of(__doc__)
    arguments = parser.parse_args()
    arguments.work = arguments.work.absolute()
    arguments.work.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(arguments.work / "home", ignore_errors=True)
    found, lines = Found(), commands(FULL if arguments.full else SHORT, arguments)
    for number, what in in_turn(list(lines), arguments.rounds + 1):
        values = run(lines[what], arguments.work)
        print(number, what, {key: round(one, 3) for key, one in values.items()}, flush=True)
        if number > 0:
            found.add(what, **values)
    rows = [
        [
            what,
            median_and_spread(found.of(what, "seconds"), 2),
            median_and_spread(found.of(what, "memory"), 0, unit=2**20),
        ]
        for what in lines
    ]
    sections = [
        "# Until something happens",
        f"Median of {arguments.rounds} (least to most). Where something is opened, imports are not "
        "in the seconds.",
        table(["", "seconds", "peak memory, MiB"], rows),
    ]
    publish("start", arguments, parser, sections)


if __name__ == "__main__":
    main()
