"""``imageloom data convert``."""

import click

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.places import SourceType, place_option
from imageloom.cli.screen import command_line, line
from imageloom.cli.signals import NOT_WRITTEN
from imageloom.data.params import ConvertParams
from imageloom.system.wording import count


@call_command(
    "convert",
    examples=(
        "imageloom data convert photos --out pictures",
        "imageloom data convert photos.zip --out pictures --max-rejected-fraction 0.05",
        "imageloom data convert labels.csv --out pictures --group-column camera",
        "imageloom data convert s3://bucket/photos --out pictures",
        "imageloom data convert tags.csv --out pictures --labels several",
    ),
)
@click.argument("source", type=SourceType())
@place_option("--out", "out", "The image directory to write; it must not exist yet.")
@parameter_options(ConvertParams, section="Conversion")
def command(call: Call) -> Outcome:
    """Check pictures and list them in an image directory.

    SOURCE is a folder with a sub-folder for each class, a .zip, .tar, .tar.gz or .tar.bz2 of one,
    a .parquet file of Hugging Face or a .tar of WebDataset, or a folder of such shards, a manifest
    (.csv, .tsv, .txt, .jsonl, COCO or Label Studio .json, CVAT .xml), or an image directory of the
    old designer.
    Any of them may lie at an address such as s3://bucket/photos; then it is downloaded below
    IMAGELOOM_HOME first, and a second time only what has changed there.
    Every file is decoded once; what cannot be used is listed with its reason. A folder is
    referenced, not copied, and nothing in it is ever changed.
    """
    call.first_answer = NOT_WRITTEN
    from imageloom.data.convert import convert
    from imageloom.data.images.directory import REJECTED

    params = read_params(ConvertParams, call.arguments)
    out = call.path("out")
    images = convert(
        call.source("source"), out, params=params, on_event=call.on_event, cancel=call.cancel
    )
    if images.is_labelled:
        parts = out.with_name(f"{out.name}-train"), out.with_name(f"{out.name}-validation")
        split = ("imageloom", "data", "split", out, "--first", parts[0], "--second", parts[1])
        kept = ("--by-group",) if images.has_groups else ()
        next_step = command_line(*split, *kept)
    else:
        next_step = command_line(
            "imageloom", "score", "--model", "RUN", "--data", out, "--out", "scores.parquet"
        )
    return Outcome(
        content={"image_directory": str(out), **pictures.to_json(images)},
        screen=(
            *pictures.class_table(
                {"Pictures": images.counts}, has_several_labels=images.has_several_labels
            ),
            *pictures.left_out(images.rejected, len(images), out / REJECTED),
            line("Wrote", f"{out} ({count(len(images), 'picture')})"),
            line("Next", next_step),
        ),
    )
