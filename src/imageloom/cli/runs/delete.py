"""``imageloom runs delete``."""

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import line
from imageloom.cli.workspace import (
    follow_up,
    named_run,
    open_existing_engine,
    several,
    workspace_option,
)


@call_command("delete", examples=("imageloom runs delete 20261123-051233-4f2a",))
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@workspace_option
def command(call: Call) -> Outcome:
    """Delete runs: their records, logs, metrics and reports.

    RUN is an id or the beginning of one. A run that is being executed is refused. Outputs stay in
    the cache, where other runs find them, until 'imageloom store clean' removes those that no run
    names.
    """
    from imageloom.pipeline.store.clean import delete_run

    engine = open_existing_engine(call)
    # All are found before one is deleted; a run may be named twice.
    found = list(dict.fromkeys(named_run(engine, text) for text in several(call, "runs")))
    for run in found:
        delete_run(engine.workspace, run.id)
        engine.index.remove(run.id)
    return Outcome(
        content={"deleted": [run.id for run in found]},
        screen=(
            *(line("Deleted", run.id) for run in found),
            line(
                "Next",
                f"{follow_up(call, 'store', 'clean')} frees the room of outputs that no run names",
            ),
        ),
    )
