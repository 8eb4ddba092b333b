"""``imageloom runs cancel``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.failures import FAILED_EXIT, Failure
from imageloom.cli.runs.summary import run_screen, run_to_json
from imageloom.cli.screen import line
from imageloom.cli.workspace import (
    named_run,
    open_existing_engine,
    resume_command,
    workspace_option,
)
from imageloom.errors import TimeoutOccuredError
from imageloom.spec.node_state import NodeState, RunState
from imageloom.system.wording import some

if TYPE_CHECKING:
    from imageloom.app import RunOutcome


@call_command(
    "cancel",
    examples=("imageloom runs cancel last", "imageloom runs cancel 20261123-051233-4f2a"),
)
@click.argument("run")
@click.option(
    "--at-once",
    is_flag=True,
    help="End running nodes instead of letting them save: training loses what came after its "
    "last checkpoint.",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Stop a run, and wait until it has stopped.

    RUN is an id, the beginning of one, or 'last'. Whichever process executes it saves and stops:
    finished nodes are kept, and training goes on from its last checkpoint with 'imageloom run
    --resume'. If that process is gone, workers that it left behind are stopped. Cancelling a run
    twice changes nothing; --at-once ends nodes that take too long.
    """
    engine = open_existing_engine(call)
    run = named_run(engine, call.text("run"))
    outcome = engine.cancel(run, at_once="at_once" in call.arguments)
    resume = resume_command(call, outcome.record.id)
    return Outcome(
        content=run_to_json(outcome),
        screen=(*run_screen(outcome), *_end(outcome, resume)),
        failure=_failure(outcome),
    )


def _end(outcome: "RunOutcome", resume: str) -> Iterator[RenderableType]:
    if outcome.state not in (RunState.COMPLETED, RunState.RUNNING):
        yield line("Resume", resume)


def _failure(outcome: "RunOutcome") -> Failure | None:
    """Return why the run was not stopped, or None when it was."""
    if outcome.state is RunState.RUNNING:
        what = "it is still running"
        hint = "Wait for it, or end its nodes at once with --at-once."
    elif outcome.state is RunState.INTERRUPTED:
        left = [name for name, one in outcome.nodes.items() if one.state is NodeState.RUNNING]
        what = f"jobs that it left behind did not end: {some(left)}"
        hint = "Cancel it again when 'imageloom targets' shows that their targets can be reached."
    else:
        return None
    error = TimeoutOccuredError(
        f"Run {outcome.record.id} was asked to stop, but {what}.", hint=hint, reason="still-running"
    )
    return Failure(error, FAILED_EXIT)
