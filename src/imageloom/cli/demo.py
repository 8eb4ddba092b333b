"""``imageloom demo``."""

import itertools
from pathlib import Path

from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.places import place_option
from imageloom.cli.screen import command_line, line, percent
from imageloom.wording import duration

_DEFAULT_NAME = "imageloom-demo"


@job_command("demo", examples=("imageloom demo", "imageloom demo --out digits"))
@place_option(
    "--out",
    "out",
    f"Folder to write; by default {_DEFAULT_NAME}, or {_DEFAULT_NAME}-2 if that is there.",
    required=False,
)
def command(job: Job) -> Outcome:
    """Run the whole path on 1,797 handwritten digits.

    The digits of scikit-learn are written as PNG files; then they are converted, split, and a
    network is trained, scored and evaluated on pictures that it never saw. Takes about two minutes
    on two cores. Needs scikit-learn: pip install 'imageloom[demo]'.
    """
    from imageloom.demo import run_demo

    out = job.path("out") if "out" in job.arguments else _free_place()
    job.run = out / "run"
    result = run_demo(out, on_event=job.on_event, cancel=job.cancel)
    picture = next((out / "pictures" / "3").iterdir())
    return Outcome(
        content={
            "folder": str(result.folder),
            "run": str(result.run),
            "model": str(result.run / "model"),
            "evaluation": str(result.evaluation),
            "report": str(result.evaluation / "report.html"),
            "top1": result.top1,
            "images": result.images,
            "seconds": result.seconds,
        },
        screen=(
            line(
                "Top-1",
                f"{percent(result.top1)} of {result.images} held-out pictures are named rightly "
                f"({duration(result.seconds)})",
                style="bold green",
            ),
            line("Wrote", str(result.folder)),
            line("Report", f"{result.evaluation / 'report.html'} - open it in a browser"),
            line("Training", str(result.run / "report.html")),
            line("Next", command_line("imageloom", "predict", "--model", result.run, picture)),
            line("", "or your own pictures: docs/tutorial.md"),
        ),
    )


def _free_place() -> Path:
    """Return the first default name that is free, so that the demo can be run again."""
    names = itertools.chain([_DEFAULT_NAME], (f"{_DEFAULT_NAME}-{n}" for n in itertools.count(2)))
    return next(Path(name).absolute() for name in names if not Path(name).exists())
