"""Pipelines written in Python: each line adds a node and joins its inputs.

For example::

    build = PipelineBuilder(components, "Ants and bees")
    pictures = build.add("dataset", path="hymenoptera")
    images = build.add("convert_to_image_directory", pictures, folder="train")
    parts = build.add("split_image_directory", images, id="split", fraction=0.8)
    network = build.add("densenet", model_name="densenet121")
    build.add("train_pytorch_model", network, parts.first, parts.second, epochs=5)
    pipeline = build.pipeline()
"""

import dataclasses
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

from pydantic import JsonValue

from imageloom.errors import InvalidPipelineError, UnknownNameError, unknown_name
from imageloom.params import Value
from imageloom.pipeline.checks.edges import types_differ
from imageloom.pipeline.checks.problems import invalid_pipeline
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.registry import Registry
from imageloom.spec.component import Component, Port
from imageloom.spec.run_settings import RunSettings
from imageloom.system.wording import count


@dataclass(frozen=True)
class OutputHandle:
    """An output of a node, to be given to another node as an input.

    Attributes:
        node: The node that has it.
        port: What it is.
    """

    node: "NodeHandle"
    port: Port


@dataclass(frozen=True)
class NodeHandle:
    """A node of a builder. Where it has one output, it stands for that output.

    Outputs are attributes too, ``parts.first``, unless they are called as one of these here.

    Attributes:
        builder: The builder that it belongs to.
        id: The node's id.
    """

    builder: "PipelineBuilder"
    id: str

    def port(self, name: str) -> OutputHandle:
        """Return an output.

        Raises:
            UnknownNameError: The node's component has none of that name, or is not installed.
        """
        component = self.builder.component_of(self.id)
        port = component.output(name)
        if port is None:
            known = tuple(port.name for port in component.outputs)
            raise unknown_name(f"output of {self.id!r}", name, known)
        return OutputHandle(self, port)

    def __getattr__(self, name: str) -> OutputHandle:
        if name.startswith("__"):  # asked for by Python itself, as when a handle is copied
            raise AttributeError(name)
        try:
            return self.port(name)
        except UnknownNameError as error:
            raise AttributeError(str(error)) from None

    def only_output(self) -> OutputHandle:
        """Return the node's output.

        Raises:
            InvalidPipelineError: It has none, or several.
        """
        names = [port.name for port in self.builder.component_of(self.id).outputs]
        if len(names) == 1:
            return self.port(names[0])
        raise InvalidPipelineError(
            f"{self.id!r} has {len(names)} outputs, so it must be said which one is meant.",
            hint=f"Write .port(name) with one of: {', '.join(names) or 'none'}.",
            reason="ambiguous-output",
        )


Given = NodeHandle | OutputHandle


class PipelineBuilder:
    """A pipeline in the making. What is wrong with a line is said at that line.

    Args:
        components: What is installed.
        name: Name of the pipeline.
        description: What it is for.
    """

    def __init__(
        self, components: Registry[Component], name: str, *, description: str = ""
    ) -> None:
        self._components = components
        self._rest = Pipeline(name, description=description)  # all but nodes and edges
        self._nodes: dict[str, Node] = {}
        self._edges: list[Edge] = []
        self._taken: set[str] = set()  # ids differ by more than upper and lower case

    @classmethod
    def from_pipeline(cls, pipeline: Pipeline, components: Registry[Component]) -> Self:
        """Return a builder that goes on from a pipeline, of which it keeps everything."""
        builder = cls(components, pipeline.name)
        builder._rest = dataclasses.replace(pipeline, nodes=(), edges=())
        builder._nodes = {node.id: node for node in pipeline.nodes}
        builder._edges = list(pipeline.edges)
        builder._taken = {node_id.lower() for node_id in builder._nodes}
        return builder

    def add(  # noqa: PLR0913 - what a node has, by keyword
        self,
        component: str,
        /,
        *inputs: Given,
        id: str | None = None,
        title: str = "",
        settings: Mapping[str, Value] | None = None,
        position: tuple[float, float] | None = None,
        comment: str = "",
        params: Mapping[str, Value | os.PathLike[str]] | None = None,
        **named: Value | os.PathLike[str] | Given,
    ) -> NodeHandle:
        """Add a node and join its inputs.

        Args:
            component: Name of the component.
            *inputs: Outputs for its inputs, from left to right.
            id: Id of the node, by default the component's name, with a number where it is taken.
            title: What a person calls it.
            settings: Run settings.
            position: Where it stands on the canvas.
            comment: What there is to note.
            params: Parameters whose names are keywords of this function.
            **named: Inputs by port, and parameters; a path may stand for its text.

        Raises:
            UnknownNameError: There is no such component, input, parameter or run setting.
            ParameterError: A value is refused.
            InvalidPipelineError: The types of an output and an input differ, an input is given
                twice, or the id is taken or cannot be one.
        """
        kind = self._components.get(component)
        values = {name: _plain(one) for name, one in named.items() if not isinstance(one, Given)}
        values |= {name: _plain(one) for name, one in (params or {}).items()}
        kind.params.parse(values)
        RunSettings.parse(settings or {})
        node = Node(
            id=self._free_id(component) if id is None else id,
            component=component,
            params=cast(dict[str, JsonValue], values),
            settings=cast(dict[str, JsonValue], dict(settings or {})),
            title=title,
            position=position,
            comment=comment,
            version=kind.version,
        )
        if node.id.lower() in self._taken:
            raise self._refusal(f"There is a node {node.id!r} already.", "Choose another id.")
        by_name = {name: one for name, one in named.items() if isinstance(one, Given)}
        joins = self._joins(node, kind, inputs, by_name)
        self._edges += [self._edge(node, port, given) for port, given in joins]
        self._nodes[node.id] = node
        self._taken.add(node.id.lower())
        return NodeHandle(self, node.id)

    def node(self, node_id: str) -> NodeHandle:
        """Return a node that is there already.

        Raises:
            UnknownNameError: There is none.
        """
        if node_id not in self._nodes:
            raise unknown_name("node", node_id, tuple(self._nodes))
        return NodeHandle(self, node_id)

    def component_of(self, node_id: str) -> Component:
        """Return the component of a node.

        Raises:
            UnknownNameError: It is not installed.
        """
        return self._components.get(self._nodes[node_id].component)

    def pipeline(self) -> Pipeline:
        """Return the pipeline as it stands; the builder can go on."""
        return dataclasses.replace(
            self._rest, nodes=tuple(self._nodes.values()), edges=tuple(self._edges)
        )

    def _free_id(self, component: str) -> str:
        numbered = (f"{component}_{number}" for number in itertools.count(2))
        ids = itertools.chain([component], numbered)
        return next(one for one in ids if one.lower() not in self._taken)

    def _joins(
        self, node: Node, kind: Component, inputs: Sequence[Given], by_name: Mapping[str, Given]
    ) -> list[tuple[Port, Given]]:
        """Return what is joined to which input, from left to right."""
        known = tuple(port.name for port in kind.inputs)
        if len(inputs) > len(known):
            raise self._refusal(
                f"{node.id!r} is given {count(len(inputs), 'input')}, but {kind.title} has "
                f"{len(known)}.",
                f"Its inputs: {', '.join(known) or 'none'}. Parameters are given by name.",
            )
        joined = dict(zip(known, inputs, strict=False))
        for name, given in by_name.items():
            if name not in known:
                raise unknown_name(f"input of {node.id!r}", name, known)
            if name in joined:
                raise self._refusal(
                    f"The input {name!r} of {node.id!r} is given twice.", "Give it by name only."
                )
            joined[name] = given
        return [(port, joined[port.name]) for port in kind.inputs if port.name in joined]

    def _edge(self, node: Node, port: Port, given: Given) -> Edge:
        if not isinstance(given, Given):
            raise self._refusal(
                f"The input {port.name!r} of {node.id!r} is {given!r}, which is no output.",
                "Give what .add() returned, or a port of it; parameters are given by name.",
            )
        output = given.only_output() if isinstance(given, NodeHandle) else given
        if output.node.builder is not self:
            raise self._refusal(
                f"{output.node.id!r} belongs to another pipeline.", "Add it to this one."
            )
        edge = Edge(output.node.id, output.port.name, node.id, port.name)
        if output.port.type != port.type:
            raise invalid_pipeline(self._rest.name, [types_differ(edge, output.port, port)])
        return edge

    def _refusal(self, message: str, hint: str) -> InvalidPipelineError:
        return InvalidPipelineError(f"{self._rest.name}: {message}", hint=hint, reason="builder")


def _plain(value: Value | os.PathLike[str]) -> Value:
    return os.fspath(value) if isinstance(value, os.PathLike) else value
