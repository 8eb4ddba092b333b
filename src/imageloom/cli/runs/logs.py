"""``imageloom runs logs``."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command, outliving_the_reader
from imageloom.cli.joined_logs import JoinedTail, joined_text
from imageloom.cli.log_search import (
    found_lines,
    log_choice,
    num_lines_of,
    search_option,
    tail_option,
)
from imageloom.cli.screen import line
from imageloom.cli.workspace import named_run, open_existing_engine, workspace_option
from imageloom.spec.node_state import RunState

if TYPE_CHECKING:
    from imageloom.app import Engine
    from imageloom.pipeline.run_folder import RunFolder

_POLL_S: Final = 0.2


@call_command(
    "logs",
    examples=(
        "imageloom runs logs last",
        "imageloom runs logs last train -f",
        "imageloom runs logs last --search error",
    ),
)
@click.argument("run")
@click.argument("node", required=False)
@search_option
@tail_option
@click.option(
    "-f", "--follow", is_flag=True, help="Show what is written from now on, until it ends."
)
@workspace_option
def command(call: Call) -> Outcome:
    """Show what the nodes of a run wrote while they worked.

    RUN is an id, the beginning of one, or 'last'. Without NODE, the logs of all nodes, one below
    the other. The log of a node that was answered from the cache is that of the run that made it.
    Where several processes train, their logs are joined with that of the node in the order of time,
    each line with the name of its process.
    """
    engine = open_existing_engine(call)
    run = named_run(engine, call.text("run"))
    record = run.record()
    nodes = record.wanted
    if "node" in call.arguments:
        nodes = (call.text("node"),)
        record.require_node(*nodes)
    choice = log_choice(call)
    if choice == "follow":
        with outliving_the_reader():
            _follow(call, engine, run, nodes)
        return Outcome(content={}, screen=())
    logs = _logs(engine, run, nodes)
    if choice == "search":
        return found_lines(_by_name(logs), call.text("search"))
    num_lines = num_lines_of(call)
    texts = {node: joined_text(one, num_lines=num_lines) for node, one in logs.items()}
    own = {node: next(iter(of_node.values())) for node, of_node in logs.items()}
    return Outcome(
        content={
            "run": run.id,
            "logs": {node: {"path": str(own[node]), "text": texts[node]} for node in nodes},
        },
        screen=tuple(_screen(run, own, texts)),
    )


def _logs(engine: "Engine", run: "RunFolder", nodes: tuple[str, ...]) -> dict[str, dict[str, Path]]:
    """Return the logs of each node by who wrote them; the first is its own."""
    from imageloom.run_report.node_files import process_logs

    states = run.states()
    return {node: process_logs(engine.workspace, run, node, states.get(node)) for node in nodes}


def _by_name(logs: dict[str, dict[str, Path]]) -> dict[str, Path]:
    """Return all logs by their node and, where it has several, by who wrote them."""
    return {
        node if len(of_node) == 1 else f"{node}, {label}": log
        for node, of_node in logs.items()
        for label, log in of_node.items()
    }


def _screen(
    run: "RunFolder", logs: dict[str, Path], texts: dict[str, str]
) -> Iterator[RenderableType]:
    for node, text in texts.items():
        if text and len(logs) > 1:
            maker = logs[node].relative_to(run.path.parent).parts[0]
            origin = "" if maker == run.id else f"  from run {maker}"
            yield Text(f"== {node}{origin}", style="bold")
        if text:
            yield Text(text.rstrip("\n"))
    if not any(texts.values()):
        yield line("Log", "nothing was written")


def _follow(call: Call, engine: "Engine", run: "RunFolder", nodes: tuple[str, ...]) -> None:
    """Write lines as they come, until the run or the one node ends or a signal comes."""
    tails = {node: JoinedTail() for node in nodes}
    while True:
        is_left = call.cancel.is_set or call.is_unwatched
        is_over = is_left or _has_ended(run, nodes)  # before reading: nothing is missed
        for node, logs in _logs(engine, run, nodes).items():
            prefix = f"{node}: " if len(nodes) > 1 else ""
            for text in tails[node].read(logs):
                sys.stdout.write(f"{prefix}{text}\n")
        sys.stdout.flush()
        if is_over:
            return
        time.sleep(_POLL_S)


def _has_ended(run: "RunFolder", nodes: tuple[str, ...]) -> bool:
    if run.state() not in (RunState.QUEUED, RunState.RUNNING):
        return True
    facts = run.states().get(nodes[0]) if len(nodes) == 1 else None
    return facts is not None and facts.state.is_ended
