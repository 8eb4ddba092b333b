"""Problems of edges and of the ports where they end."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from imageloom.errors import ParameterError
from imageloom.pipeline.checks.nodes import named
from imageloom.pipeline.checks.problems import Problem, ProblemKind
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.pipeline.graph.resolve import current_params
from imageloom.spec.component import Component, Port
from imageloom.system.wording import some

_SEARCHED: Final = 200  # names among which the nearest is looked for; the search is slow


def input_problems(pipeline: Pipeline, node: Node, component: Component) -> Iterator[Problem]:
    """Yield inputs of a node that have no edge, or more than one."""
    begins: dict[str, list[str]] = {}
    for edge in dict.fromkeys(_bare(edge) for edge in pipeline.edges_into(node.id)):
        begins.setdefault(edge.to_port, []).append(edge.begin)
    for port in component.inputs:
        found = begins.get(port.name, [])
        if not found and not port.optional:
            yield Problem(
                ProblemKind.MISSING_INPUT,
                f"{named(node, component)} has nothing on its input {port.name!r} ({port.type}).",
                hint=f"Draw an edge to it from an output of type {port.type}.",
                node=node.id,
                port=port.name,
            )
        if len(found) > 1:
            yield Problem(
                ProblemKind.INPUT_TAKEN_TWICE,
                f"{named(node, component)} has {len(found):,} edges on its input {port.name!r}: "
                f"from {some([*map(repr, found)])}.",
                hint="An input takes one edge. Remove the others.",
                node=node.id,
                port=port.name,
            )


def edge_problems(pipeline: Pipeline, known: Mapping[str, Component]) -> Iterator[Problem]:
    """Yield edges that join what cannot be joined, and edges that stand there again.

    Args:
        pipeline: The pipeline.
        known: The components of those nodes whose component is installed.
    """
    times = Counter(map(_bare, pipeline.edges))
    for edge, number in times.items():
        if number > 1:
            yield Problem(
                ProblemKind.REPEATED_EDGE,
                f"The edge from {edge.begin!r} to {edge.end!r} stands there {number:,} times.",
                hint="Keep one of them.",
                node=edge.to_node,
                port=edge.to_port,
            )
        for node_id, words in ((edge.from_node, "begins"), (edge.to_node, "ends")):
            if node_id not in pipeline:
                yield _unknown_node(pipeline, edge, node_id, words)
        yield from _port_problems(pipeline, edge, known)


def _port_problems(
    pipeline: Pipeline, edge: Edge, known: Mapping[str, Component]
) -> Iterator[Problem]:
    """Yield problems of the two ends of an edge, as far as the components are installed."""
    before, after = known.get(edge.from_node), known.get(edge.to_node)
    output = before.output(edge.from_port) if before else None
    input_port = after.input(edge.to_port) if after else None
    if before and not output:
        node = pipeline.node(edge.from_node)
        yield _unknown_port(node, before, edge.from_port, is_output=True)
    if after and not input_port:
        yield _unknown_port(pipeline.node(edge.to_node), after, edge.to_port, is_output=False)
    if output and input_port and output.type != input_port.type:
        yield types_differ(edge, output, input_port)
    if before and output and output.given_by:
        yield from _output_not_given(pipeline.node(edge.from_node), before, output, edge)


def types_differ(edge: Edge, output: Port, input_port: Port) -> Problem:
    """Return the problem of an edge between ports of different types."""
    return Problem(
        ProblemKind.PORT_TYPES,
        f"The edge from {edge.begin!r} to {edge.end!r} joins different types: the output is "
        f"{output.type}, the input takes {input_port.type}.",
        hint=f"Draw it from an output of type {input_port.type}.",
        node=edge.to_node,
        port=edge.to_port,
    )


def _output_not_given(
    node: Node, component: Component, output: Port, edge: Edge
) -> Iterator[Problem]:
    try:
        params = component.params.parse(current_params(node, component))
    except ParameterError:
        return  # reported as what it is; whether the output is there cannot be said
    if output not in component.given_outputs(params):
        yield Problem(
            ProblemKind.OUTPUT_NOT_GIVEN,
            f"{named(node, component)} gives its output {output.name!r} only when "
            f"{output.given_by} is set, and an edge leads from it to {edge.end!r}.",
            hint=f"Set {output.given_by} of {node.id!r}, or remove the edge.",
            node=node.id,
            port=output.name,
        )


def _unknown_node(pipeline: Pipeline, edge: Edge, node_id: str, words: str) -> Problem:
    names = [node.id for node in pipeline.nodes[:_SEARCHED]]
    return Problem(
        ProblemKind.UNKNOWN_NODE,
        f"The edge from {edge.begin!r} to {edge.end!r} {words} at the node {node_id!r}, which is "
        "not in the pipeline.",
        hint=f"{_meant(node_id, names)}Add the node, or remove the edge.",
        node=node_id,
        port=edge.from_port if words == "begins" else edge.to_port,
    )


def _unknown_port(node: Node, component: Component, name: str, *, is_output: bool) -> Problem:
    kind, ports = ("output", component.outputs) if is_output else ("input", component.inputs)
    other, others = ("input", component.inputs) if is_output else ("output", component.outputs)
    names = [port.name for port in ports]
    turned = f"{name!r} is an {other}. " if any(port.name == name for port in others) else ""
    return Problem(
        ProblemKind.UNKNOWN_PORT,
        f"{named(node, component)} has no {kind} called {name!r}.",
        hint=f"{turned}{_meant(name, names)}Its {kind}s: {', '.join(names) or 'none'}.",
        node=node.id,
        port=name,
    )


def _bare(edge: Edge) -> Edge:
    """Return an edge as its two ends alone, so that equal ones count as the same."""
    return Edge(edge.from_node, edge.from_port, edge.to_node, edge.to_port)


def _meant(name: str, names: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(nearest)}? " if nearest else ""
