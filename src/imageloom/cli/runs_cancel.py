"""``imageloom runs cancel``."""

import click

from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.run_summary import run_screen, run_to_json
from imageloom.cli.screen import line
from imageloom.cli.workspace import open_engine, workspace_option
from imageloom.spec.node_state import RunState


@job_command(
    "cancel",
    examples=("imageloom runs cancel last", "imageloom runs cancel 20261123-051233-4f2a"),
)
@click.argument("run")
@workspace_option
def command(job: Job) -> Outcome:
    """Stop a run, and wait until it has stopped.

    RUN is an id, the beginning of one, or 'last'. Whichever process executes it saves and stops:
    finished nodes are kept, and training goes on from its last checkpoint with 'imageloom run
    --resume'. If that process is gone, workers that it left behind are stopped.
    """
    from imageloom.pipeline.cancel import cancel_run

    engine = open_engine(job)
    run = engine.find_run(job.text("run"))
    cancel_run(run, workspace=engine.workspace, targets=engine.targets)
    engine.index.sync(run)
    outcome = engine.outcome(run)
    resume = f"imageloom run --resume {run.id}"
    is_whole = outcome.state is RunState.COMPLETED
    return Outcome(
        content=run_to_json(outcome),
        screen=(*run_screen(outcome), *([] if is_whole else [line("Resume", resume)])),
    )
