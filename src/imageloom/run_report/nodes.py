"""One section for each node of a run: what it was asked, what became of it, where to look."""

from collections.abc import Iterator, Mapping

from imageloom.errors import error_from_json
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord
from imageloom.reports.charts import Markup, element, join
from imageloom.reports.page import Section, name, paragraph
from imageloom.run_report.graph import state_mark
from imageloom.run_report.view import RunView
from imageloom.run_report.words import error_name, time_text
from imageloom.spec.node_state import NodeState


def anchor(node_id: str) -> str:
    """Return the anchor of a node's part of the report."""
    return f"node-{node_id}"


def nodes_section(view: RunView) -> Section:
    """Return the section with all nodes; those that failed are open."""
    return Section("nodes", "Node by node", join(_node(view, node_id) for node_id in view.wanted))


def _node(view: RunView, node_id: str) -> Markup:
    facts = view.facts(node_id)
    summary = element(
        "summary", element("b", name(node_id)), " ", state_mark(facts.state), f" {time_text(facts)}"
    )
    body = [
        *_error(facts),
        *_warnings(facts),
        *_origin(facts),
        _links(view, node_id),
        _tables(view, node_id),
        _log(view, node_id),
    ]
    is_open = "" if facts.state is NodeState.FAILED else None
    return element("details", summary, *body, id=anchor(node_id), class_="node", open=is_open)


def _error(facts: NodeFacts) -> Iterator[Markup]:
    if facts.error is None:
        return
    error = error_from_json(facts.error)
    yield paragraph(element("b", error_name(facts)))
    yield element("pre", error.message)
    if error.hint:
        yield paragraph(element("b", "What to do: "), error.hint)
    if error.resume:
        yield paragraph(element("b", "Go on with: "), element("code", error.resume.command))


def _warnings(facts: NodeFacts) -> Iterator[Markup]:
    if facts.warnings:
        items = (element("li", name(warning)) for warning in facts.warnings)
        yield element("ul", *items, class_="notices")


def _origin(facts: NodeFacts) -> Iterator[Markup]:
    if facts.made_by is not None:
        run_id, node_id = facts.made_by
        link = element("a", f"run {run_id}", href=f"../{run_id}/report.html#{anchor(node_id)}")
        where = "Taken from the cache: made by node "
        yield paragraph(where, name(node_id), " of ", link, "; log and metrics are from there.")
    elif facts.cause:
        link = element("a", name(facts.cause), href=f"#{anchor(facts.cause)}")
        yield paragraph("It was not run, because ", link, " failed.")
    elif facts.message:
        yield paragraph(facts.message)


def _links(view: RunView, node_id: str) -> Markup:
    files = view.files.get(node_id)
    if files is None or not files.links:
        return Markup()
    items = (element("li", element("a", title, href=path)) for title, path in files.links)
    return element("ul", *items, class_="key")


def _tables(view: RunView, node_id: str) -> Markup:
    resolved = view.record.resolved.get(node_id)
    if resolved is None:
        return Markup()
    edges = view.pipeline.edges_into(node_id)
    given = view.pipeline.node(node_id) if node_id in view.pipeline else None
    tables = [
        small_table("Inputs", {edge.to_port: edge.begin for edge in edges}, {}),
        small_table("Parameters", resolved.params, given.params if given else {}),
        small_table("Run settings", resolved.settings, given.settings if given else {}),
        small_table("Component", _component(resolved, view.facts(node_id)), {}),
    ]
    return element("div", *(one for one in tables if one), class_="facts")


def _component(resolved: ResolvedRecord, facts: NodeFacts) -> Mapping[str, object]:
    return {"name": resolved.component, "version": resolved.version, "key": facts.key or None}


def small_table(title: str, values: Mapping[str, object], given: Mapping[str, object]) -> Markup:
    """Return names and values; what a person gave is set apart from the defaults."""
    rows = [
        element(
            "tr",
            element("th", key.replace("_", " "), scope="row"),
            element("td", element("b" if key in given else "bdi", _words(value))),
        )
        for key, value in values.items()
        if value not in (None, "")
    ]
    if not rows:
        return Markup()
    return element("div", element("h3", title), element("table", element("tbody", *rows)))


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _log(view: RunView, node_id: str) -> Markup:
    files = view.files.get(node_id)
    if files is None or not files.log_tail:
        return Markup()
    lines = join(element("span", f"{line}\u200b") for line in files.log_tail.splitlines())
    return element(
        "details", element("summary", "The last lines of its log"), element("pre", lines)
    )
