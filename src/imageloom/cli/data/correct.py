"""``imageloom data correct``."""

import click

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType, place_option, root_option
from imageloom.cli.screen import command_line, line
from imageloom.data.corrections import Correction, parse_corrections
from imageloom.errors import CouldNotOpenFileError, ParameterParsingError
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import refuse_existing
from imageloom.system.wording import count


@call_command(
    "correct",
    examples=(
        "imageloom data correct pictures --exclude ants/3.jpg --out corrected",
        "imageloom data correct pictures --relabel ants/7.jpg bees --out corrected",
        "imageloom data correct pictures --corrections changes.jsonl --out corrected",
    ),
)
@click.argument("images", metavar="DIR", type=PathType())
@place_option(
    "--corrections",
    "corrections",
    "Corrections as lines of JSON: a file, and its label or exclude.",
    required=False,
    metavar="FILE",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PICTURE",
    help="Leave a picture out, by its path from the folder of the pictures. May be repeated.",
    cls=SectionOption,
    section="Corrections",
)
@click.option(
    "--relabel",
    multiple=True,
    nargs=2,
    metavar="PICTURE CLASS",
    help="Give a picture another class. May be repeated.",
    cls=SectionOption,
    section="Corrections",
)
@place_option("--out", "out", "The image directory to write; it must not exist yet.")
@root_option
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Give pictures another class, or leave them out.

    Writes another version of DIR, an image directory, or a plain folder with a sub-folder for each
    class. DIR stays as it is, and so do the files of the pictures. A line of --corrections names
    the picture, and with "sha256" one that was replaced since is refused.
    """
    from imageloom.data.images.correct import correct
    from imageloom.data.images.directory import REJECTED
    from imageloom.data.open import open_images

    out = call.path("out")
    corrections = _corrections(call)
    refuse_existing(out)
    refuse_misplaced([out], read=[call.path("images")])
    images = open_images(
        call.path("images"),
        root=call.roots,
        convert_params=pictures.shortcut_params(call.arguments),
        on_event=call.on_event,
        cancel=call.cancel,
    )
    corrected = correct(images, corrections)
    corrected.save(out)
    excluded = len(images) - len(corrected)
    before_and_after = {"Before": images.counts, "After": corrected.counts}
    return Outcome(
        content={
            "image_directory": str(out),
            "relabelled": len(corrections) - excluded,
            "excluded": excluded,
            "images_per_class_before": images.counts,
            **pictures.to_json(corrected),
        },
        screen=(
            *pictures.class_table(before_and_after),
            *pictures.left_out(corrected.rejected, len(corrected), out / REJECTED),
            line("Wrote", f"{out} ({count(len(corrected), 'picture')})"),
            line("Next", command_line("imageloom", "data", "duplicates", out)),
        ),
    )


def _corrections(call: Call) -> tuple[Correction, ...]:
    lines: list[str] = []
    if "corrections" in call.arguments:
        file = call.path("corrections")
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise CouldNotOpenFileError(
                f"The corrections in {file} cannot be read: "
                f"{getattr(problem, 'strerror', None) or 'it is not UTF-8'}.",
                hint="Give a text file with one JSON object per line.",
                reason="not-readable",
            ) from problem
    excluded, relabelled = (call.arguments.get(name, ()) for name in ("exclude", "relabel"))
    assert isinstance(excluded, tuple)
    assert isinstance(relabelled, tuple)
    given = (
        *parse_corrections(lines),
        *(Correction(file, None) for file in excluded),
        *(Correction(file, label) for file, label in relabelled),
    )
    if not given:
        raise ParameterParsingError(
            "There is nothing to correct.",
            hint="Give --exclude PICTURE, --relabel PICTURE CLASS or --corrections FILE.",
            details={"parameter": "corrections"},
        )
    return given
