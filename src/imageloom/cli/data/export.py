"""``imageloom data export``."""

import click

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import line
from imageloom.cli.signals import NOT_WRITTEN
from imageloom.data.exports.params import ImageExportParams
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import refuse_existing
from imageloom.system.wording import count


@call_command(
    "export",
    examples=(
        "imageloom data export pictures --to folders --out photos",
        "imageloom data export train --to parquet --out my-dataset/data",
        "imageloom data export test --to webdataset --part test --out shards",
        "imageloom data export train --to coco --out coco",
    ),
)
@click.argument("images", metavar="DIR", type=PathType())
@place_option("--out", "out", "The folder to write; it must not exist yet.")
@root_option
@parameter_options(ImageExportParams, section="Export")
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Write pictures for other programs.

    DIR is an image directory, or anything that can become one, such as a Parquet file. Every
    picture keeps its bytes, and must be what it was when it was converted. What is written can be
    converted again, with the same bytes and labels.
    """
    call.first_answer = NOT_WRITTEN
    from imageloom.data.exports.export import export_images
    from imageloom.data.open import open_images

    params = read_params(ImageExportParams, call.arguments)
    out = call.path("out")
    refuse_existing(out)
    refuse_misplaced([out], read=[call.path("images")])
    images = open_images(
        call.path("images"),
        root=call.roots,
        convert_params=pictures.shortcut_params(call.arguments),
        on_event=call.on_event,
        cancel=call.cancel,
    )
    done = export_images(images, out, params=params, on_event=call.on_event, cancel=call.cancel)
    return Outcome(
        content={
            "exported": str(done.path),
            "to": done.to,
            "images": done.num_images,
            "images_per_class": images.counts,
            "files": list(done.files),
            "notices": list(done.notices),
        },
        screen=(
            *pictures.class_table(
                {"Pictures": images.counts}, has_several_labels=images.has_several_labels
            ),
            line("Wrote", f"{out} ({count(done.num_images, 'picture')}, as {done.to})"),
        ),
    )
