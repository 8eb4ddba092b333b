"""``imageloom data check``."""

import click

from imageloom.cli import pictures
from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.places import Place, place_option
from imageloom.cli.screen import line


@job_command(
    "check",
    examples=(
        "imageloom data check pictures",
        "imageloom data check train --against validation",
    ),
)
@click.argument("images", metavar="DIR", type=Place())
@place_option("--against", "against", "Other pictures to look for leaks into.", required=False)
def command(job: Job) -> Outcome:
    """Say what is in it, and what was left out.

    DIR is an image directory, or a plain folder with a sub-folder for each class. Shows pictures
    per class, files that were left out with the reason, and pictures that stand twice; with
    --against also pictures that are in both.
    """
    from imageloom.data.check import check
    from imageloom.data.open import open_images

    images = open_images(job.path("images"), on_event=job.on_event, cancel=job.cancel)
    other = None
    if "against" in job.arguments:
        other = open_images(job.path("against"), on_event=job.on_event, cancel=job.cancel)
    report = check(images, other)
    return Outcome(
        content=report.to_json(),
        screen=(
            *pictures.class_table({"Pictures": images.counts}),
            *pictures.left_out(images, None),
            line("Next", ""),
        ),
    )
