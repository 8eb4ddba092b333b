"""``imageloom run``."""

import functools
import os
import shlex
import sys
from typing import TYPE_CHECKING, Final

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType
from imageloom.cli.runs.screen import RUN_STYLES, RunScreen
from imageloom.cli.runs.summary import run_failure, run_screen, run_to_json
from imageloom.cli.screen import line
from imageloom.cli.workspace import (
    follow_up,
    open_engine,
    open_existing_engine,
    resume_command,
    several,
    workspace_option,
)

if TYPE_CHECKING:
    from imageloom.app import Engine, RunOutcome
    from imageloom.pipeline.graph.graph import Pipeline
    from imageloom.pipeline.run.request import Asked
    from imageloom.pipeline.run_folder import RunFolder

_option = functools.partial(click.option, cls=SectionOption, section="What to run")
_WITH_RESUME: Final = {"resume", "detach", "workspace", "as_json", "debug"}
_FLAGS: Final = {"changes": "--set", "start": "--from", "pipeline": "PIPELINE"}


@call_command(
    "run",
    examples=(
        "imageloom run pipeline.json",
        "imageloom run pipeline.json --set train.epochs=10 --set split.seed=7",
        "imageloom run pipeline.json --only split",
        "imageloom run --resume last",
        "imageloom run --detach pipeline.json",
    ),
    signals=2,
)
@click.argument("pipeline", type=PathType(), required=False)
@_option(
    "--set",
    "changes",
    multiple=True,
    metavar="NODE.PARAMETER=VALUE",
    help="Change a parameter or run setting for this run; may be repeated.",
)
@_option(
    "--only",
    multiple=True,
    metavar="NODE",
    help="Stop at this node: do it and what it needs, nothing after it; may be repeated.",
)
@_option(
    "--from",
    "start",
    multiple=True,
    metavar="NODE",
    help="Make this node and all that depends on it anew; may be repeated.",
)
@_option(
    "--fresh",
    multiple=True,
    metavar="NODE",
    help="Make this node anew although its result is there; may be repeated.",
)
@_option(
    "--target",
    metavar="NAME",
    help="Where nodes that can choose run: 'local' is this machine.",
)
@_option(
    "--track",
    multiple=True,
    metavar="TRACKER",
    help="Show the trainings in another program while they run: tensorboard, mlflow or wandb; may "
    "be repeated. 'none' is nobody. By default as each node says, or settings.toml.",
)
@_option(
    "--resume",
    metavar="RUN",
    help="Go on with a run that failed or was stopped: its id, the beginning of it, or 'last'.",
)
@click.option(
    "--detach",
    is_flag=True,
    help="Return once the run has begun, and leave it to a process that outlives the terminal.",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Run a pipeline, or go on with a run that stopped.

    PIPELINE is a JSON file (docs/guides/pipelines.md). A node whose result is there already, from
    this run or any other in the workspace, is taken from there. Nodes that do not depend on each
    other run side by side. When one fails, the others do what they can without it, and the command
    that goes on is printed. The first Ctrl+C saves and stops, the second stops at once. With
    --detach a process of its own runs it, and the commands that follow and stop it are printed.
    """
    if "detach" in call.arguments:
        return _detach(call)
    outcome = _resume(call) if "resume" in call.arguments else _start(call)
    return Outcome(
        content=run_to_json(outcome),
        screen=tuple(run_screen(outcome)),
        failure=run_failure(outcome, call.cancel.reason, resume_command(call, outcome.record.id)),
    )


def _detach(call: Call) -> Outcome:
    if "resume" in call.arguments:
        engine, run = _run_to_resume(call)
    else:
        engine = open_engine(call)
        run = engine.create(*_asked(call))
    outcome = engine.start(run, cancel=call.cancel)
    return Outcome(
        content={**run_to_json(outcome), "log": str(run.executor_log)},
        screen=(
            line("Run", f"{run.id} {outcome.state}", style=RUN_STYLES[outcome.state]),
            line("Folder", str(run.path)),
            line("Log", str(run.executor_log)),
            line("Show", follow_up(call, "runs", "show", run.id)),
            line("Follow", follow_up(call, "runs", "logs", run.id, "--follow")),
            line("Stop", follow_up(call, "runs", "cancel", run.id)),
        ),
    )


def _start(call: Call) -> "RunOutcome":
    pipeline, asked = _asked(call)
    screen = RunScreen(call.on_event, (node.id for node in pipeline.nodes))
    return open_engine(call).run(pipeline, asked, on_event=screen, cancel=call.cancel)


def _asked(call: Call) -> "tuple[Pipeline, Asked]":
    from imageloom.pipeline.graph.json_format import read_pipeline
    from imageloom.pipeline.run.request import Asked

    if "pipeline" not in call.arguments:
        raise click.UsageError("Missing argument 'PIPELINE', or --resume RUN to go on with a run.")
    path = call.path("pipeline")
    return read_pipeline(path), Asked(
        base=path.parent,
        changes=several(call, "changes"),
        only=several(call, "only"),
        start=several(call, "start"),
        fresh=several(call, "fresh"),
        target=str(call.arguments.get("target", "")),
        track=several(call, "track"),
        command=shlex.join(["imageloom", *sys.argv[1:]]),
    )


def _resume(call: Call) -> "RunOutcome":
    from imageloom.pipeline.run.executor_process import take_asked_at

    asked_at = take_asked_at(os.environ)
    engine, run = _run_to_resume(call)
    screen = RunScreen(call.on_event, run.record().wanted)
    _show_earlier_epochs(run, screen)
    return engine.resume(run, on_event=screen, cancel=call.cancel, asked_at=asked_at)


def _run_to_resume(call: Call) -> "tuple[Engine, RunFolder]":
    others = sorted(_FLAGS.get(name, f"--{name}") for name in set(call.arguments) - _WITH_RESUME)
    if others:
        raise click.UsageError(
            "--resume takes everything from the run, so it cannot be joined with "
            f"{', '.join(others)}. Leave that out, or start a new run."
        )
    engine, name = open_existing_engine(call), call.text("resume")
    # A whole id is found without the index: who holds its database keeps no run from beginning.
    is_whole = name in engine.workspace.run_names()
    return engine, engine.workspace.run(name) if is_whole else engine.find_run(name)


def _show_earlier_epochs(run: "RunFolder", screen: RunScreen) -> None:
    """Show what was measured before the run stopped, so that 'best' means best of the whole."""
    from imageloom.pipeline.run.events import NodeEvent
    from imageloom.run_report.node_files import told_so_far

    for node, metric in told_so_far(run):
        screen(NodeEvent(node, metric))
