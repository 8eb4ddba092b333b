"""``imageloom users activity``."""

import time

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import Column, line, table
from imageloom.cli.users.people import open_people
from imageloom.cli.workspace import workspace_option
from imageloom.errors import printable


@call_command(
    "activity", examples=("imageloom users activity", "imageloom users activity --limit 500")
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    metavar="N",
    help="How many lines at most.  [default: 50]",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Show who did what in the studio, when and from where, the newest first.

    It tells of signing in, too, also where that was refused. The record holds no passwords; the
    oldest of some 50,000 lines go when it is full.
    """
    limit = call.arguments.get("limit", 50)
    assert isinstance(limit, int)
    deeds = open_people(call).activity.newest(limit=limit)
    columns: list[Column] = [
        ("When", "left"),
        ("Who", "left"),
        ("What", "left"),
        ("On", "left"),
        ("From", "left"),
        ("Outcome", "left"),
    ]
    rows = [
        [
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.time)),
            *(printable(text) for text in (one.who, one.what, one.on, one.address, one.outcome)),
        ]
        for one in deeds
    ]
    return Outcome(
        content={"deeds": [one.model_dump() for one in deeds]},
        screen=(table(columns, rows),) if rows else (line("Nothing", "nobody did anything yet"),),
    )
