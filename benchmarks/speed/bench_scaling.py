"""One process and two on the same cores, next to torchrun: bench_processes.py on the photos here.

    python benchmarks/speed/bench_scaling.py --pictures PHOTOS --work DIR

Short by default (128 pictures); the committed results are those of --full --rounds 3 (1,024).
"""

import shutil
import sys

from networks import JOBS
from pictures import folders_for
from report import parser_of, publish
from watched import HERE, watch


def main():
    parser = parser_of(__doc__)
    arguments = parser.parse_args()
    counts = {"train": 1024 if arguments.full else 128, "val": 32}
    folder = folders_for(JOBS["resnet18"], counts, arguments)
    out = arguments.work / "scaling"
    shutil.rmtree(out, ignore_errors=True)
    words = ["--train", folder / "train", "--validation", folder / "val", "--out", out]
    script = HERE.parent / "bench_processes.py"
    seen = watch(
        [sys.executable, script, *words, "--rounds", arguments.rounds], arguments.work / "notes"
    )
    sections = [
        "# One process and two with the same cores, next to torchrun",
        f"{counts['train']:,} pictures, {arguments.rounds} rounds; what bench_processes.py says:",
        f"```\n{seen.output.strip()}\n```",
    ]
    publish("scaling", arguments, parser, sections)


if __name__ == "__main__":
    main()
