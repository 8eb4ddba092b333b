"""Random valid pipelines of toys, and defects that can be planted in them."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from imageloom.pipeline.checks.problems import ProblemKind
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.spec.component import Component, Port

from .toys import LIMITS, NUMBER, toy_components

COMPONENTS = toy_components()
Begin = tuple[str, str]  # node, output

IDS = st.text("abcXYZ019_-", min_size=1, max_size=8).filter(lambda text: text[0] not in "_-")
TEXT = st.sampled_from(["", "Käfer", "-x", "007", "a.b=c", "\u202e", "__proto__"]) | st.text(
    max_size=6
)
VALUE_TEXT = TEXT.filter(lambda text: "\0" not in text)  # no parameter may hold one
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
KNOWN_KEYS = {
    *("format_version", "kind", "name", "description", "nodes", "edges", "id", "component"),
    *("params", "settings", "title", "position", "comment", "version", "from", "to"),
}
UNKNOWN_KEYS = st.sampled_from(["__proto__", "constructor", "", "x.y"]) | TEXT.filter(
    lambda key: key not in KNOWN_KEYS
)
EXTRA = st.just({}) | st.dictionaries(UNKNOWN_KEYS, JSON_VALUES, max_size=2)

VALUES: dict[str, dict[str, st.SearchStrategy]] = {
    "number": {"value": st.floats(-1e9, 1e9), "title": VALUE_TEXT, "comment": VALUE_TEXT},
    "read": {"path": VALUE_TEXT},
    "add": {"plus": st.integers(0, 100)},
    "divide": {"third_share": st.none() | st.floats(0.01, 0.99), "whole": st.booleans()},
    "count": {"steps": st.integers(1, 1000), "every": st.integers(1, 2**40)},
    "fail": {"message": VALUE_TEXT},
}


# What a node has besides its work; half of the nodes have none, which keeps the drawing quick.
LOOKS = {
    component.name: st.just({})
    | st.fixed_dictionaries(
        {},
        optional={
            "title": TEXT,
            "position": st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
            "comment": TEXT,
            "version": st.integers(1, component.version),
        },
    )
    for component in COMPONENTS
}


@st.composite
def nodes(draw, node_id: str, component: Component, *, renamed: bool = True) -> Node:
    """A node with some valid parameters and settings."""
    params = draw(st.fixed_dictionaries({}, optional=VALUES.get(component.name, {})))
    if renamed and component.name == "add" and "plus" in params and draw(st.booleans()):
        params["offset"] = params.pop("plus")
    return Node(
        node_id, component.name, params, draw(settings_of(component)), **draw(LOOKS[component.name])
    )


@st.composite
def settings_of(draw, component: Component) -> dict[str, object]:
    settings: dict[str, object] = {}
    reachable = sorted(name for name, limits in LIMITS.items() if limits.interfaces is None)
    target = draw(st.none() | st.sampled_from(reachable))
    if target:
        settings["target"] = target
    if component.has_run_settings:
        limits = LIMITS[target or "local"]
        most = {"node_count": limits.nodes, "processes_per_node": limits.processing_units_per_node}
        counts = {name: st.integers(1, number) for name, number in most.items()}
        settings |= draw(st.fixed_dictionaries({}, optional=counts))
    return settings


def outputs_of(node: Node) -> tuple[Port, ...]:
    """The outputs that are there, by the rule of the toys."""
    outputs = COMPONENTS.get(node.component).outputs
    return tuple(p for p in outputs if not p.given_by or node.params.get(p.given_by) is not None)


@st.composite
def ordered_pipelines(draw, *, renamed: bool = True) -> Pipeline:
    """A valid pipeline whose nodes and edges stand in the order in which a builder adds them."""
    ids = draw(st.lists(IDS, min_size=1, max_size=7, unique_by=str.lower))
    begins: dict[str, list[Begin]] = {}
    placed: list[Node] = []
    edges: list[Edge] = []
    for node_id in ids:
        possible = [
            one
            for one in COMPONENTS
            if all(port.optional or port.type in begins for port in one.inputs)
        ]
        component = draw(st.sampled_from(possible))
        for port in component.inputs:
            if port.type in begins and not (port.optional and draw(st.booleans())):
                begin = draw(st.sampled_from(begins[port.type]))
                edges.append(Edge(*begin, node_id, port.name))
        node = draw(nodes(node_id, component, renamed=renamed))
        placed.append(node)
        for port in outputs_of(node):
            begins.setdefault(port.type, []).append((node_id, port.name))
    return Pipeline(
        name=draw(TEXT), nodes=tuple(placed), edges=tuple(edges), description=draw(TEXT)
    )


@st.composite
def pipelines(draw) -> Pipeline:
    """A valid pipeline in any order, with keys that nobody here knows."""
    ordered = draw(ordered_pipelines())
    extras = draw(st.lists(EXTRA, min_size=1, max_size=3))  # shared out, as drawing is slow
    nodes = [_with_extra(node, extras, place) for place, node in enumerate(ordered.nodes)]
    edges = [_with_extra(edge, extras, place) for place, edge in enumerate(ordered.edges)]
    return dataclasses.replace(
        ordered,
        nodes=tuple(draw(st.permutations(nodes))),
        edges=tuple(draw(st.permutations(edges))),
        extra=extras[-1],
    )


def _with_extra(one, extras: list, place: int):
    return dataclasses.replace(one, extra=extras[place % len(extras)])


@dataclass(frozen=True)
class Planted:
    """A pipeline with one defect, and where it must be found."""

    pipeline: Pipeline
    kind: ProblemKind
    node: str = ""
    port: str = ""
    parameter: str = ""


class Garden:
    """A valid pipeline that is about to get a defect. Ids of its own nodes have 8 characters."""

    def __init__(self, draw: Callable, pipeline: Pipeline) -> None:
        self.draw = draw
        self.nodes = list(pipeline.nodes)
        self.edges = list(pipeline.edges)
        self.pipeline = pipeline
        self.add("planted-number", "number")
        self.numbers = [
            (node.id, port.name)
            for node in self.nodes
            for port in outputs_of(node)
            if port.type == NUMBER
        ]

    def add(self, node_id: str, component: str, **attributes: object) -> str:
        self.nodes.append(Node(node_id, component, **attributes))
        return node_id

    def join(self, begin: Begin, node_id: str, port: str) -> None:
        self.edges.append(Edge(*begin, node_id, port))

    def a_number(self) -> Begin:
        """Any output that is a number, of the pipeline as it was."""
        return self.draw(st.sampled_from(self.numbers))

    def change_a_node(self, **additions: dict[str, object]) -> str:
        """Add entries to the params or settings of any node, and return its id."""
        place = self.draw(st.integers(0, len(self.nodes) - 1))
        node = self.nodes[place]
        merged = {key: {**getattr(node, key), **value} for key, value in additions.items()}
        self.nodes[place] = dataclasses.replace(node, **merged)
        return node.id

    def planted(self, kind: ProblemKind, node: str = "", port: str = "", parameter: str = ""):
        pipeline = dataclasses.replace(
            self.pipeline,
            nodes=tuple(self.draw(st.permutations(self.nodes))),
            edges=tuple(self.draw(st.permutations(self.edges))),
        )
        return Planted(pipeline, kind, node, port, parameter)


def unknown_component(garden: Garden) -> Planted:
    node = garden.add("planted-strange", "no_such_thing", params={"anything": [1, {"goes": None}]})
    garden.join(garden.a_number(), node, "whatever")
    garden.add("planted-spell", "spell")
    garden.join((node, "some.output"), "planted-spell", "number")
    return garden.planted(ProblemKind.UNKNOWN_COMPONENT, node)


def newer_component(garden: Garden) -> Planted:
    node = garden.add("planted-newer", "number", version=garden.draw(st.integers(2, 10**6)))
    return garden.planted(ProblemKind.NEWER_COMPONENT, node)


def unknown_parameter(garden: Garden) -> Planted:
    node = garden.change_a_node(params={"no_such_parameter": garden.draw(JSON_VALUES)})
    return garden.planted(ProblemKind.UNKNOWN_PARAMETER, node, parameter="no_such_parameter")


def parameter_given_twice(garden: Garden) -> Planted:
    node = garden.add("planted-add", "add", params={"offset": 1, "plus": 2})
    garden.join(garden.a_number(), node, "left")
    return garden.planted(ProblemKind.PARAMETER_GIVEN_TWICE, node, parameter="plus")


def bad_parameter(garden: Garden) -> Planted:
    value = garden.draw(st.sampled_from([2e9, "much", None, True, [1], {"__proto__": 1}]))
    node = garden.add("planted-wrong", "number", params={"value": value, "title": "fine"})
    return garden.planted(ProblemKind.BAD_PARAMETER, node, parameter="value")


def unknown_setting(garden: Garden) -> Planted:
    node = garden.change_a_node(settings={"no_such_setting": 1})
    return garden.planted(ProblemKind.UNKNOWN_SETTING, node, parameter="no_such_setting")


def bad_setting(garden: Garden) -> Planted:
    node = garden.change_a_node(settings={"node_count": garden.draw(st.sampled_from([0, "2"]))})
    return garden.planted(ProblemKind.BAD_SETTING, node, parameter="node_count")


def settings_not_taken(garden: Garden) -> Planted:
    name = garden.draw(st.sampled_from(["node_count", "processes_per_node"]))
    node = garden.add("planted-single", "number", settings={name: 2})
    return garden.planted(ProblemKind.SETTINGS_NOT_TAKEN, node, parameter=name)


def unknown_target(garden: Garden) -> Planted:
    node = garden.change_a_node(settings={"target": "no-such-target"})
    return garden.planted(ProblemKind.UNKNOWN_TARGET, node, parameter="target")


def tracker(garden: Garden) -> Planted:
    settings = {"track": ["no-such-tracker"]}
    node = garden.add("planted-count", "count", settings=settings)
    garden.join(garden.a_number(), node, "start")
    return garden.planted(ProblemKind.TRACKER, node, parameter="track")


def too_many_nodes(garden: Garden) -> Planted:
    settings = {"target": "lab", "node_count": garden.draw(st.integers(4, 100_000))}
    node = garden.add("planted-count", "count", settings=settings)
    garden.join(garden.a_number(), node, "start")
    return garden.planted(ProblemKind.TOO_MANY_NODES, node, parameter="node_count")


def too_many_processes(garden: Garden) -> Planted:
    settings = {"processes_per_node": garden.draw(st.integers(5, 100_000))}
    node = garden.add("planted-count", "count", settings=settings)
    garden.join(garden.a_number(), node, "start")
    return garden.planted(ProblemKind.TOO_MANY_PROCESSES, node, parameter="processes_per_node")


def no_interface(garden: Garden) -> Planted:
    settings = {"target": "desks", "node_count": garden.draw(st.integers(2, 9))}
    node = garden.add("planted-count", "count", settings=settings)
    garden.join(garden.a_number(), node, "start")
    return garden.planted(ProblemKind.NO_INTERFACE, node, parameter="target")


def unknown_node(garden: Garden) -> Planted:
    node = garden.add("planted-fail", "fail")
    if garden.draw(st.booleans()):
        garden.join(("planted-ghost", "value"), node, "number")
        return garden.planted(ProblemKind.UNKNOWN_NODE, "planted-ghost", "value")
    garden.join(garden.a_number(), "planted-ghost", "number")
    return garden.planted(ProblemKind.UNKNOWN_NODE, "planted-ghost", "number")


def unknown_port(garden: Garden) -> Planted:
    if garden.draw(st.booleans()):
        node = garden.add("planted-fail", "fail")
        garden.join(("planted-number", "no_such.port"), node, "number")
        return garden.planted(ProblemKind.UNKNOWN_PORT, "planted-number", "no_such.port")
    node = garden.draw(st.sampled_from(garden.nodes)).id
    garden.add("planted-other", "number")
    garden.join(("planted-other", "value"), node, "no_such_port")
    return garden.planted(ProblemKind.UNKNOWN_PORT, node, "no_such_port")


def port_types(garden: Garden) -> Planted:
    node = garden.add("planted-shout", "shout")
    garden.join(garden.a_number(), node, "text")
    return garden.planted(ProblemKind.PORT_TYPES, node, "text")


def output_not_given(garden: Garden) -> Planted:
    node = garden.add("planted-divide", "divide", params={"whole": False})
    garden.join(garden.a_number(), node, "number")
    garden.join(garden.a_number(), node, "by")
    garden.add("planted-fail", "fail")
    garden.join((node, "third"), "planted-fail", "number")
    return garden.planted(ProblemKind.OUTPUT_NOT_GIVEN, node, "third")


def input_taken_twice(garden: Garden) -> Planted:
    node = garden.add("planted-spell", "spell")
    garden.join(garden.a_number(), node, "number")
    edge = garden.draw(st.sampled_from([edge for edge in garden.edges if edge.to_port != "text"]))
    garden.add("planted-other", "number")
    garden.join(("planted-other", "value"), edge.to_node, edge.to_port)
    return garden.planted(ProblemKind.INPUT_TAKEN_TWICE, edge.to_node, edge.to_port)


def repeated_edge(garden: Garden) -> Planted:
    node = garden.add("planted-spell", "spell")
    garden.join(garden.a_number(), node, "number")
    edge = garden.draw(st.sampled_from(garden.edges))
    garden.edges += [edge] * garden.draw(st.integers(1, 3))
    return garden.planted(ProblemKind.REPEATED_EDGE, edge.to_node, edge.to_port)


def missing_input(garden: Garden) -> Planted:
    node = garden.add("planted-divide", "divide")
    garden.join(garden.a_number(), node, "number")
    return garden.planted(ProblemKind.MISSING_INPUT, node, "by")


def cycle(garden: Garden) -> Planted:
    length = garden.draw(st.integers(1, 5))
    knot = [garden.add(f"planted-{number}", "add") for number in range(length)]
    for before, after in zip(knot, [*knot[1:], knot[0]], strict=True):
        garden.join((before, "sum"), after, "left")
    garden.join(garden.a_number(), knot[0], "right")
    return garden.planted(ProblemKind.CYCLE, "planted-*")


DEFECTS = (
    unknown_component,
    newer_component,
    unknown_parameter,
    parameter_given_twice,
    bad_parameter,
    unknown_setting,
    bad_setting,
    settings_not_taken,
    unknown_target,
    tracker,
    too_many_nodes,
    too_many_processes,
    no_interface,
    unknown_node,
    unknown_port,
    port_types,
    output_not_given,
    input_taken_twice,
    repeated_edge,
    missing_input,
    cycle,
)


@st.composite
def with_defect(draw, plant: Callable[[Garden], Planted]) -> Planted:
    return plant(Garden(draw, draw(pipelines())))
