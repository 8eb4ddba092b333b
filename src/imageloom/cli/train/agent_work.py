"""``imageloom agent work``."""

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.places import PathType
from imageloom.cli.screen import line


@call_command("work", examples=("imageloom agent work /shared/run",))
@click.argument("run", type=PathType())
def command(call: Call) -> Outcome:
    """Let this machine take part in the training of a run directory.

    For schedulers that start this on each machine of a job. It finds the machine that leads the
    run in the run directory, and waits for one.
    """
    from imageloom.launch.agent import work_on_run

    run = call.path("run")
    work_on_run(run, control=call.control)
    return Outcome(content={"run": str(run)}, screen=(line("Run", f"completed: {run}"),))
