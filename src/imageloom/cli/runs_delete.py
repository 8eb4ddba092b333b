"""``imageloom runs delete``."""

import click

from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.screen import line
from imageloom.cli.workspace import follow_up, open_existing_engine, several, workspace_option


@job_command("delete", examples=("imageloom runs delete 20261123-051233-4f2a",))
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@workspace_option
def command(job: Job) -> Outcome:
    """Delete runs: their records, logs, metrics and reports.

    RUN is an id or the beginning of one. A run that is being executed is refused. Outputs stay in
    the cache, where other runs find them, until 'imageloom store clean' removes those that no run
    names.
    """
    from imageloom.pipeline.clean import delete_run

    engine = open_existing_engine(job)
    # All are found before one is deleted; a run may be named twice.
    found = list(dict.fromkeys(engine.find_run(text) for text in several(job, "runs")))
    for run in found:
        delete_run(engine.workspace, run.id)
        engine.index.remove(run.id)
    return Outcome(
        content={"deleted": [run.id for run in found]},
        screen=(
            *(line("Deleted", run.id) for run in found),
            line(
                "Next",
                f"{follow_up(job, 'store', 'clean')} frees the room of outputs that no run names",
            ),
        ),
    )
