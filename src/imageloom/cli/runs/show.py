"""``imageloom runs show``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.runs.screen import state_line
from imageloom.cli.runs.summary import run_failure, run_screen, run_to_json
from imageloom.cli.screen import line, table
from imageloom.cli.workspace import (
    follow_up,
    named_run,
    open_existing_engine,
    resume_command,
    workspace_option,
)
from imageloom.errors import printable
from imageloom.params import value_text
from imageloom.spec.job import LOG_FILE
from imageloom.spec.node_state import NodeState, RunState

if TYPE_CHECKING:
    from imageloom.app import RunOutcome


@call_command(
    "show",
    examples=("imageloom runs show last", "imageloom runs show 20261123-051233-4f2a train"),
)
@click.argument("run")
@click.argument("node", required=False)
@workspace_option
def command(call: Call) -> Outcome:
    """Show a run, or one node of it.

    RUN is an id, the beginning of one, or 'last'. Shows what became of each node, warnings,
    failures with what to do about them, and where outputs, logs and the report lie. With NODE:
    its parameters, inputs and outputs.
    """
    engine = open_existing_engine(call)
    outcome = engine.outcome(named_run(engine, call.text("run")))
    if "node" in call.arguments:
        return _node(call, outcome, call.text("node"))
    resume = resume_command(call, outcome.record.id)
    return Outcome(
        content=run_to_json(outcome),
        screen=(
            *run_screen(outcome),
            *([line("Asked by", outcome.record.asked_by)] if outcome.record.asked_by else []),
            *_notices(outcome),
            *_failure(outcome, resume),
        ),
    )


def _notices(outcome: "RunOutcome") -> Iterator[RenderableType]:
    for one in outcome.notices:
        if one.notice is not None:
            is_warning = one.notice.level == "warning"
            title, style = ("Warning", "yellow") if is_warning else ("Notice", "")
            yield line(title, one.notice.message, style=style)


def _failure(outcome: "RunOutcome", resume: str) -> Iterator[RenderableType]:
    if outcome.state is RunState.QUEUED:
        yield line("Begin", resume)
    failure = run_failure(outcome, "", resume)
    if failure is None:
        return
    if outcome.state is RunState.FAILED:
        yield Text(failure.error.message, style="red")
    yield line("Resume", failure.resume_command)


def _node(call: Call, outcome: "RunOutcome", node: str) -> Outcome:
    record, facts = outcome.record, outcome.nodes.get(node)
    record.require_node(node)
    return Outcome(
        content={
            "run": record.id,
            "node": node,
            **record.resolved[node].model_dump(mode="json"),
            "facts": facts.model_dump(mode="json") if facts else None,
            "folder": str(outcome.run.node_folder(node)),
        },
        screen=(
            *_node_screen(outcome, node),
            line("Next", follow_up(call, "runs", "logs", record.id, node)),
        ),
    )


def _node_screen(outcome: "RunOutcome", node: str) -> Iterator[RenderableType]:
    resolved, facts = outcome.record.resolved[node], outcome.nodes.get(node)
    folder = outcome.run.node_folder(node)
    state = state_line(facts) if facts else Text(NodeState.WAITING.value)
    yield Text.assemble((f"{printable(node)}  ", "bold"), f"{resolved.component}  ", state)
    values = {**resolved.params, **resolved.settings}
    if values:
        rows = [[name, value_text(value)] for name, value in values.items()]
        yield table([("Parameter", "left"), ("Value", "left")], rows)
    for warning in facts.warnings if facts else ():
        yield line("Warning", warning, style="yellow")
    yield line("Folder", str(folder))
    for port in facts.outputs if facts else ():
        yield line("Output", str(folder / "outputs" / port))
    if (folder / LOG_FILE).is_file():
        yield line("Log", str(folder / LOG_FILE))
