"""``imageloom store clean``."""

import math

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.screen import line, size_text
from imageloom.cli.workspace import follow_up, open_existing_engine, workspace_option
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
    """
    engine = open_existing_engine(call)
    limit = call.arguments.get("limit", engine.settings.store_limit_gib)
    assert isinstance(limit, float)
    if not math.isfinite(limit):
        raise click.BadParameter(f"--limit is {limit}, but must be a number of GiB.")
    dry_run = "dry_run" in call.arguments
    done = engine.clean(limit_gib=limit, dry_run=dry_run)
    given = ("--limit", f"{limit:g}") if "limit" in call.arguments else ()
    words = "Would go" if dry_run else "Removed"
    return Outcome(
        content={**vars(done), "dry_run": dry_run, "limit_gib": limit},
        screen=(
            line(words, f"{count(len(done.objects), 'output')}, {size_text(done.object_bytes)}"),
            line("", f"{count(len(done.work), 'half-made result')}"),
            line("Kept", f"{size_text(done.kept_bytes)} of outputs (limit {limit:g} GiB)"),
            *([line("Next", follow_up(call, "store", "clean", *given))] if dry_run else []),
        ),
    )
