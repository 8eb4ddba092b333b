"""``imageloom store clean``."""

import math

import click
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.screen import line, size_text
from imageloom.cli.workspace import follow_up, open_existing_engine, workspace_option
from imageloom.data.sources.remote.room import FreedCopies, free_copies
from imageloom.settings import Settings
from imageloom.system.wording import count


@call_command(
    "clean",
    examples=(
        "imageloom store clean --dry-run",
        "imageloom store clean --limit 20",
    ),
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0),
    metavar="GIB",
    help="GiB of outputs to keep at most; by default IMAGELOOM_STORE_LIMIT_GIB, or 100.",
    cls=SectionOption,
    section="What to remove",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be removed, and remove nothing.",
    cls=SectionOption,
    section="What to remove",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Remove what no run needs any more.

    Removes what killed processes left, and outputs that no run names. Above the limit also outputs
    of completed runs go, those first that were not used for longest; they are made again when they
    are asked for. What a run still needs to go on, and trained models, always stay.

    Copies of pictures at addresses, such as s3://bucket/photos, go above
    IMAGELOOM_DOWNLOADS_LIMIT_GIB, or 100, in the same order, unless one was used within a day.
    Image directories made of them need them again: converting the address brings them back.
    """
    engine = open_existing_engine(call)
    limit = call.arguments.get("limit", engine.settings.store_limit_gib)
    assert isinstance(limit, float)
    if not math.isfinite(limit):
        raise click.BadParameter(f"--limit is {limit}, but must be a number of GiB.")
    dry_run = "dry_run" in call.arguments
    done = engine.clean(limit_gib=limit, dry_run=dry_run)
    copies = free_copies(
        engine.settings.downloads,
        limit_gib=engine.settings.downloads_limit_gib,
        dry_run=dry_run,
    )
    given = ("--limit", f"{limit:g}") if "limit" in call.arguments else ()
    words = "Would go" if dry_run else "Removed"
    return Outcome(
        content={
            **vars(done),
            "dry_run": dry_run,
            "limit_gib": limit,
            "copies": [one.address for one in copies.removed],
            "copy_bytes": sum(one.size_bytes for one in copies.removed),
            "kept_copy_bytes": copies.kept_bytes,
        },
        screen=(
            line(words, f"{count(len(done.objects), 'output')}, {size_text(done.object_bytes)}"),
            line("", f"{count(len(done.work), 'half-made result')}"),
            *(
                line("", f"copy of {one.address}, {size_text(one.size_bytes)}")
                for one in copies.removed
            ),
            line("Kept", f"{size_text(done.kept_bytes)} of outputs (limit {limit:g} GiB)"),
            *_kept_copies(copies, engine.settings),
            *([line("Next", follow_up(call, "store", "clean", *given))] if dry_run else []),
        ),
    )


def _kept_copies(copies: FreedCopies, settings: Settings) -> list[Text]:
    if not copies.removed and not copies.kept_bytes:
        return []  # most people have none
    limit = f"limit {settings.downloads_limit_gib:g} GiB"
    return [line("", f"{size_text(copies.kept_bytes)} of copies of addresses ({limit})")]
