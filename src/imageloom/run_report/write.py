"""Write the report of a run into its folder."""

import shlex
import time
from importlib import resources
from pathlib import Path

from imageloom.files.publish import writing_file
from imageloom.pipeline.graph.graph import Edge
from imageloom.pipeline.run_folder import RunFolder
from imageloom.reports.charts import Markup, element, join
from imageloom.reports.page import Heading, Section, name, page, paragraph, strong
from imageloom.reports.tables import Cell, table
from imageloom.run_report.graph import Box, DrawnEdge, graph_drawing, state_mark
from imageloom.run_report.metrics import metrics_section
from imageloom.run_report.node_files import read_node_files
from imageloom.run_report.nodes import anchor, nodes_section, small_table
from imageloom.run_report.view import RunView
from imageloom.run_report.words import time_text, what_happened
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.port_types import PORT_TYPES
from imageloom.system.wording import count, duration


def write_run_report(run: RunFolder) -> Path:
    """Publish ``report.html`` of a run as it stands now, and return its path.

    Raises:
        FailedToWriteOutputsError: The file cannot be written.
        StoreCorruptError: The record of the run is damaged.
    """
    document = run_page(view_of(run))
    with writing_file(run.report) as partial:
        partial.write_text(document, encoding="utf-8")
    return run.report


def view_of(run: RunFolder) -> RunView:
    """Read everything that the report shows."""
    history = run.history()
    return RunView(
        record=run.record(),
        state=run.state(),
        nodes=history.nodes,
        files={node: read_node_files(run, node, facts) for node, facts in history.nodes.items()},
        seconds=(history.changed or 0.0) - (history.began or 0.0),
        workspace=str(run.path.parent.parent),
    )


def run_page(view: RunView) -> str:
    """Return the whole report as an HTML document."""
    record = view.record
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(record.created))
    facts = [view.state.value, count(len(view.wanted), "node"), began]
    if view.seconds:
        facts.append(duration(view.seconds))
    sections = [
        Section("short", "In short", _short(view)),
        Section("graph", "Graph", _graph(view)),
        Section("table", "Nodes", _table(view)),
        metrics_section(view),
        nodes_section(view),
        Section("facts", "Facts", _facts(view)),
    ]
    style = resources.files(__package__).joinpath("run.css").read_text(encoding="utf-8")
    heading = Heading("Run report", record.name or record.id, " \u00b7 ".join(facts))
    return page(heading, [one for one in sections if one is not None], style=style)


def _short(view: RunView) -> Markup:
    counted = [(len(view.in_state(state)), state) for state in NodeState]
    items = (element("li", f"{n:,} ", state_mark(state)) for n, state in counted if n)
    parts = [
        paragraph("Run ", strong(view.record.id), ": ", strong(view.state.value), style="lead"),
        element("ul", *items, class_="key"),
        *(_failure(view, node) for node in view.in_state(NodeState.FAILED)),
    ]
    if view.state not in (RunState.COMPLETED, RunState.RUNNING):
        place = ["--workspace", view.workspace] if view.workspace else []
        words = ["imageloom", "run", "--resume", view.record.id, *place]
        parts.append(paragraph("Go on from here: ", element("code", shlex.join(words))))
    return join(parts)


def _failure(view: RunView, node_id: str) -> Markup:
    error = view.facts(node_id).error or {}
    link = element("a", name(node_id), href=f"#{anchor(node_id)}")
    return paragraph(link, f" failed: {error.get('message', 'the reason is not known')}")


def _graph(view: RunView) -> Markup:
    boxes = [Box(node, node, view.facts(node).state, anchor(node)) for node in view.wanted]
    wires = [_wire(view, edge) for node in view.wanted for edge in view.pipeline.edges_into(node)]
    return graph_drawing(boxes, wires, title=f"The graph of {view.record.name}")


def _wire(view: RunView, edge: Edge) -> DrawnEdge:
    inputs = [one.to_port for one in view.pipeline.edges_into(edge.to_node)]
    outputs = [one.from_port for one in view.pipeline.edges_from(edge.from_node)]
    return DrawnEdge(
        edge.from_node,
        edge.to_node,
        f"{edge.begin} \u2192 {edge.end}",
        leave=_share(edge.from_port, list(dict.fromkeys(outputs))),
        enter=_share(edge.to_port, inputs),
        colour=_colour(view, edge.from_node, edge.from_port),
    )


def _share(port: str, ports: list[str]) -> float:
    """Return where a port stands on its side of the box, from 0 to 1."""
    return (ports.index(port) + 1) / (len(ports) + 1)


def _colour(view: RunView, node_id: str, port: str) -> str:
    output = view.facts(node_id).outputs.get(port)
    return PORT_TYPES.get(output.type).colour if output and output.type in PORT_TYPES else ""


def _table(view: RunView) -> Markup:
    rows = []
    for node in view.wanted:
        facts, resolved = view.facts(node), view.record.resolved.get(node)
        link = element("a", name(node), href=f"#{anchor(node)}")
        rows.append(
            [
                Cell(link),
                Cell(resolved.component if resolved else ""),
                Cell(state_mark(facts.state)),
                Cell(time_text(facts), style="number"),
                Cell(what_happened(facts)),
            ]
        )
    return table(["Node", "Component", "State", "Time", "What"], rows, caption="In order of work")


def _facts(view: RunView) -> Markup:
    record = view.record
    rows = {
        "run": record.id,
        "pipeline": record.name,
        "command": record.command,
        "asked by": record.asked_by,
        "changes": ", ".join(record.changes),
        "only": ", ".join(record.only),
        "from": ", ".join(record.start),
        "made anew": ", ".join(record.fresh),
        "relative paths start at": record.base,
    }
    return element(
        "div",
        small_table("Run", rows, {}),
        small_table("Versions", record.versions, {}),
        class_="facts",
    )
