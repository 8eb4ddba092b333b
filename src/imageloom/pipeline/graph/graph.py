"""A pipeline: components placed as nodes and joined by edges, as plain values."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from pydantic import JsonValue

from imageloom.errors import InvalidPipelineError, unknown_name
from imageloom.system.wording import some

MAX_NODES: Final = 10_000
MAX_EDGES: Final = 100_000
ID_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
ID_RULE: Final = "1 to 64 letters A to Z, digits, '-' and '_', beginning with a letter or digit"


@dataclass(frozen=True)
class Node:
    """A component placed in a pipeline.

    Attributes:
        id: Its name in the pipeline, and of its folder in a run.
        component: Name of the component, which need not be installed here.
        params: The parameters that were given; the others have their defaults.
        settings: The run settings that were given.
        title: What a person calls it; empty when it goes by its component's title.
        position: Where it stands on the canvas, in pixels to the right and downwards.
        comment: What a person noted about it.
        version: Version of the component that it was made with, where that is known.
        extra: What the file holds about it that we do not know, kept as it is.

    Raises:
        InvalidPipelineError: The id could not be the name of a folder.
    """

    id: str
    component: str
    params: Mapping[str, JsonValue] = field(default_factory=dict)
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    title: str = ""
    position: tuple[float, float] | None = None
    comment: str = ""
    version: int | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(ID_PATTERN, self.id):
            raise InvalidPipelineError(
                f"{_short(self.id)} cannot be the id of a node.",
                hint=f"An id has {ID_RULE}: it is also the name of a folder.",
                reason="bad-id",
            )


@dataclass(frozen=True)
class Edge:
    """A join of an output port to an input port.

    Attributes:
        from_node: Id of the node where it begins.
        from_port: Name of an output of that node.
        to_node: Id of the node where it ends.
        to_port: Name of an input of that node.
        extra: What the file holds about it that we do not know, kept as it is.
    """

    from_node: str
    from_port: str
    to_node: str
    to_port: str
    extra: Mapping[str, JsonValue] = field(default_factory=dict, hash=False)

    @property
    def begin(self) -> str:
        """Where it begins, as people write it: ``split.first``."""
        return f"{self.from_node}.{self.from_port}"

    @property
    def end(self) -> str:
        """Where it ends, as people write it: ``train.training``."""
        return f"{self.to_node}.{self.to_port}"


@dataclass(frozen=True)
class Pipeline:
    """An immutable graph of nodes and edges. Whether it can run is asked of ``check``.

    Attributes:
        name: What a person calls it.
        nodes: In the order in which they were added; their ids differ.
        edges: In the order in which they were drawn; they may name nodes that are not there.
        description: What it is for.
        extra: What the file holds that we do not know, kept as it is.

    Raises:
        InvalidPipelineError: Two nodes have one id, or there are more than ``MAX_NODES`` nodes or
            ``MAX_EDGES`` edges.
    """

    name: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    description: str = ""
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.nodes) > MAX_NODES or len(self.edges) > MAX_EDGES:
            raise InvalidPipelineError(
                f"A pipeline has at most {MAX_NODES:,} nodes and {MAX_EDGES:,} edges; this one has "
                f"{len(self.nodes):,} and {len(self.edges):,}.",
                hint="Divide it into several pipelines.",
                reason="too-big",
            )
        # Ids name folders, and some file systems take 'a' and 'A' for one.
        times = Counter(node.id.lower() for node in self.nodes)
        repeated = [node.id for node in self.nodes if times[node.id.lower()] > 1]
        if repeated:
            raise InvalidPipelineError(
                f"{len(repeated):,} nodes share their ids: {_listed(repeated)}.",
                hint="Give each an id of its own; upper and lower case alone make no difference.",
                reason="repeated-id",
            )

    def node(self, node_id: str) -> Node:
        """Return the node of that id.

        Raises:
            UnknownNameError: There is none; the message names the nearest.
        """
        found = self._by_id.get(node_id)
        if found is None:
            raise unknown_name("node", node_id, tuple(self._by_id))
        return found

    def __contains__(self, node_id: str) -> bool:
        return node_id in self._by_id

    def edges_into(self, node_id: str) -> tuple[Edge, ...]:
        """Return the edges that end at a node, in the order in which they were drawn."""
        return self._into.get(node_id, ())

    def edges_from(self, node_id: str) -> tuple[Edge, ...]:
        """Return the edges that begin at a node, in the order in which they were drawn."""
        return self._from.get(node_id, ())

    def part(self, node_ids: Collection[str]) -> "Pipeline":
        """Return the pipeline with only these nodes and the edges that end at them."""
        return replace(
            self,
            nodes=tuple(node for node in self.nodes if node.id in node_ids),
            edges=tuple(edge for edge in self.edges if edge.to_node in node_ids),
        )

    # Questions about one node must not cost a walk over all: a pipeline can have 10,000.
    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _into(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped((edge.to_node, edge) for edge in self.edges)

    @cached_property
    def _from(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped((edge.from_node, edge) for edge in self.edges)


def _grouped(pairs: Iterable[tuple[str, Edge]]) -> dict[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {}
    for node_id, edge in pairs:
        groups.setdefault(node_id, []).append(edge)
    return {node_id: tuple(edges) for node_id, edges in groups.items()}


def _listed(names: list[str]) -> str:
    return some([*map(repr, names)])


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
