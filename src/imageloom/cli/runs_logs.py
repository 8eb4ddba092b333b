"""``imageloom runs logs``."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.job import Job, Outcome, job_command, outliving_the_reader
from imageloom.cli.screen import line
from imageloom.cli.workspace import open_existing_engine, require_node, workspace_option
from imageloom.errors import printable
from imageloom.spec.job import LOG_FILE
from imageloom.spec.node_state import RunState

if TYPE_CHECKING:
    from imageloom.pipeline.run_folder import RunFolder
    from imageloom.pipeline.run_record import NodeFacts

_POLL_S: Final = 0.2


@job_command(
    "logs",
    examples=("imageloom runs logs last", "imageloom runs logs last train --follow"),
)
@click.argument("run")
@click.argument("node", required=False)
@click.option("--follow", is_flag=True, help="Show what is written from now on, until it ends.")
@workspace_option
def command(job: Job) -> Outcome:
    """Show what the nodes of a run wrote while they worked.

    RUN is an id, the beginning of one, or 'last'. Without NODE, the logs of all nodes, one below
    the other. The log of a node that was answered from the cache is that of the run that made it.
    """
    engine = open_existing_engine(job)
    run = engine.find_run(job.text("run"))
    record = run.record()
    nodes = record.wanted
    if "node" in job.arguments:
        nodes = (job.text("node"),)
        require_node(record, *nodes)
    if "follow" in job.arguments:
        if "as_json" in job.arguments:
            raise click.UsageError(
                "--follow writes as it reads, so it cannot be joined with --json."
            )
        with outliving_the_reader():
            _follow(job, run, nodes)
        return Outcome(content={}, screen=())
    states = run.states()
    logs = {node: _log(run, node, states.get(node)) for node in nodes}
    return Outcome(
        content={
            "run": run.id,
            "logs": {node: {"path": str(log), "text": _read(log)} for node, log in logs.items()},
        },
        screen=tuple(_screen(run, logs)),
    )


def _log(run: "RunFolder", node: str, facts: "NodeFacts | None") -> Path:
    from imageloom.run_report.node_files import work_folder

    folder = run.node_folder(node) if facts is None else work_folder(run, node, facts)
    return folder / LOG_FILE


def _read(log: Path) -> str:
    try:
        return printable_lines(log.read_bytes())
    except OSError:
        return ""


def printable_lines(content: bytes) -> str:
    """Return what stands in a log as text that a terminal cannot obey."""
    text = content.decode("utf-8", "backslashreplace")
    return "\n".join(printable(line.expandtabs()) for line in text.split("\n"))


def _screen(run: "RunFolder", logs: dict[str, Path]) -> Iterator[RenderableType]:
    texts = {node: text for node, log in logs.items() if (text := _read(log))}
    for node, text in texts.items():
        if len(logs) > 1:
            maker = logs[node].relative_to(run.path.parent).parts[0]
            origin = "" if maker == run.id else f"  from run {maker}"
            yield Text(f"== {node}{origin}", style="bold")
        yield Text(text.rstrip("\n"))
    if not texts:
        yield line("Log", "nothing was written")


class _Tail:
    """The lines that are added to a log, as they are completed."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0
        self._rest = b""

    def read(self) -> list[str]:
        try:
            with self._log.open("rb") as file:
                # A log that grew too big was cut back: what is written now comes after the cut.
                self._offset = min(self._offset, self._log.stat().st_size)
                file.seek(self._offset)
                chunk = file.read()
        except OSError:
            return []
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [printable_lines(line) for line in lines]


def _follow(job: Job, run: "RunFolder", nodes: tuple[str, ...]) -> None:
    """Write lines as they come, until the run or the one node ends or a signal comes."""
    states = run.states()
    tails = {node: _Tail(_log(run, node, states.get(node))) for node in nodes}
    while True:
        is_over = job.cancel.is_set or _has_ended(run, nodes)  # before reading: nothing is missed
        for node, tail in tails.items():
            prefix = f"{node}: " if len(nodes) > 1 else ""
            for text in tail.read():
                sys.stdout.write(f"{prefix}{text}\n")
        sys.stdout.flush()
        if is_over:
            return
        time.sleep(_POLL_S)


def _has_ended(run: "RunFolder", nodes: tuple[str, ...]) -> bool:
    if run.state() is not RunState.RUNNING:
        return True
    facts = run.states().get(nodes[0]) if len(nodes) == 1 else None
    return facts is not None and facts.state.is_ended
