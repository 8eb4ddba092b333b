"""``imageloom agent work``."""

import click

from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.places import Place
from imageloom.cli.screen import line


@job_command("work", examples=("imageloom agent work /shared/run",))
@click.argument("run", type=Place())
def command(job: Job) -> Outcome:
    """Let this machine take part in the training of a run directory.

    For schedulers that start this on each machine of a job. It finds the machine that leads the
    run in the run directory, and waits for one.
    """
    from imageloom.launch.agent import work_on_run

    run = job.path("run")
    work_on_run(run, on_event=job.on_event, cancel=job.cancel)
    return Outcome(content={"run": str(run)}, screen=(line("Run", f"completed: {run}"),))
