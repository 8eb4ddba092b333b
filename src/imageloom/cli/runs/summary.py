"""What a person sees of a run when it has ended, and of any run later: nodes, outputs, failures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import RenderableType

from imageloom.cli.failures import Failure, exit_code
from imageloom.cli.runs.screen import RUN_STYLES, STYLES
from imageloom.cli.screen import Column, Fitting, line, paint, table
from imageloom.run_report.node_files import work_folder
from imageloom.run_report.words import time_text, what_happened
from imageloom.spec.job import LOG_FILE
from imageloom.spec.node_state import NodeState
from imageloom.system.wording import count

if TYPE_CHECKING:
    from imageloom.app import RunOutcome
    from imageloom.pipeline.run_record import StateLine

_OUTPUTS_SHOWN: Final = 8


def run_screen(outcome: "RunOutcome") -> Iterator[RenderableType]:
    """Yield the table of nodes, warnings, and where everything lies."""
    yield node_table(outcome)
    for node, facts in outcome.nodes.items():
        for warning in facts.warnings:
            yield line("Warning", f"{node}: {warning}", style="yellow")
    done = sum(facts.state.has_outputs for facts in outcome.nodes.values())
    total = count(len(outcome.record.wanted), "node")
    stopping = ", asked to stop" if outcome.is_stopping else ""
    words = f"{outcome.record.id} {outcome.state}{stopping}, {done:,} of {total} done"
    yield line("Run", words, style=RUN_STYLES[outcome.state])
    yield line("Folder", str(outcome.run.path))
    if outcome.run.report.is_file():
        yield line("Report", str(outcome.run.report))
    results = final_outputs(outcome)
    for place in results[:_OUTPUTS_SHOWN]:
        if place.exists():
            yield line("Output", str(place))
        else:
            yield line("Output", f"{place} was cleaned away; a new run makes it again", style="dim")
    if len(results) > _OUTPUTS_SHOWN:
        yield line("", f"and {len(results) - _OUTPUTS_SHOWN:,} more")


def node_table(outcome: "RunOutcome") -> RenderableType:
    """Return the table of nodes: what became of each, and why; without components where narrow."""
    rows, styles = [], []
    for node in outcome.record.wanted:
        facts = outcome.nodes.get(node)
        state = facts.state if facts else NodeState.WAITING
        component = outcome.record.resolved[node].component
        what = what_happened(facts) if facts else ""
        rows.append([node, component, state.value, time_text(facts) if facts else "", what])
        styles.append(STYLES[state])
    columns: list[Column] = [
        ("Node", "left"),
        ("Component", "left"),
        ("State", "left"),
        ("Time", "right"),
        ("What", "left"),
    ]
    wide = table(columns, rows)
    paint(wide, 2, styles, firm=4)
    narrow = table([columns[0], *columns[2:]], [[row[0], *row[2:]] for row in rows])
    paint(narrow, 1, styles, firm=1)
    return Fitting(wide, narrow)


def final_outputs(outcome: "RunOutcome") -> list[Path]:
    """Return where the outputs lie that no other node of the run took."""
    edges = outcome.record.pipeline.get("edges")
    taken = {
        str(edge["from"])
        for edge in (edges if isinstance(edges, list) else ())
        if isinstance(edge, dict) and str(edge["to"]).partition(".")[0] in outcome.record.wanted
    }
    return [
        outcome.run.node_folder(node) / "outputs" / port
        for node, facts in outcome.nodes.items()
        for port in facts.outputs
        if f"{node}.{port}" not in taken
    ]


def run_failure(outcome: "RunOutcome", reason: str, resume: str) -> Failure | None:
    """Return why a run is not complete, or None when it is, or when it still goes on.

    Args:
        outcome: The run.
        reason: What set the cancel token, or empty.
        resume: The command that goes on with it.
    """
    error = outcome.failure(stopped_by=reason)
    return None if error is None else Failure(error, exit_code(error, reason), resume)


def run_to_json(outcome: "RunOutcome") -> dict[str, object]:
    """Return what ``--json`` says of a run."""
    record = outcome.record
    return {
        "run": record.id,
        "pipeline": record.name,
        "state": outcome.state.value,
        "is_stopping": outcome.is_stopping,
        "created": record.created,
        "asked_by": record.asked_by,
        "folder": str(outcome.run.path),
        "report": str(outcome.run.report),
        # Every command has "notices" of its own beside them.
        "run_notices": [_notice_to_json(one) for one in outcome.notices],
        "nodes": {node: _node_to_json(outcome, node) for node in record.wanted},
    }


def _node_to_json(outcome: "RunOutcome", node: str) -> Mapping[str, object]:
    facts = outcome.nodes.get(node)
    head = {"component": outcome.record.resolved[node].component}
    if facts is None:
        return head | {"state": NodeState.WAITING.value}
    folder = outcome.run.node_folder(node)
    kept = facts.model_dump(
        mode="json",
        include={"state", "seconds", "cause", "message", "warnings", "made_by", "error"},
    )
    wait = facts.wait and {**facts.wait.model_dump(mode="json"), "text": facts.message}
    outputs = {port: str(folder / "outputs" / port) for port in facts.outputs}
    log = work_folder(outcome.run, node, facts) / LOG_FILE
    return head | kept | {"waits_for": wait, "outputs": outputs, "log": str(log)}


def _notice_to_json(line: "StateLine") -> dict[str, object]:
    assert line.notice is not None
    return {"time": line.time, "node": line.node, **vars(line.notice)}
