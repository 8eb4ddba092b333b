"""What each node of a checked pipeline will do: its component, all its values, and its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from imageloom.params import Params
from imageloom.pipeline.graph.graph import Node, Pipeline
from imageloom.pipeline.graph.order import topological_order
from imageloom.registry import Registry
from imageloom.spec.component import Component
from imageloom.spec.run_settings import RunSettings


@dataclass(frozen=True)
class ResolvedNode:
    """A node with nothing left open.

    Attributes:
        node: As it stands in the pipeline.
        component: What it does.
        params: All parameters, defaults included.
        settings: All run settings, defaults included.
        inputs: By input port that is joined: the node and its output port.
    """

    node: Node
    component: Component
    params: Params
    settings: RunSettings
    inputs: Mapping[str, tuple[str, str]]


def resolve(pipeline: Pipeline, components: Registry[Component]) -> dict[str, ResolvedNode]:
    """Return all nodes by id, each after those it needs.

    Args:
        pipeline: One that ``require_valid`` lets pass.
        components: What is installed.

    Raises:
        ImageloomError: The pipeline was not checked; the first problem, which need not name its
            node.
    """
    resolved = {}
    for node_id in topological_order(pipeline):
        node = pipeline.node(node_id)
        component = components.get(node.component)
        resolved[node_id] = ResolvedNode(
            node=node,
            component=component,
            params=component.params.parse(current_params(node, component)),
            settings=RunSettings.parse(node.settings),
            inputs={
                edge.to_port: (edge.from_node, edge.from_port)
                for edge in pipeline.edges_into(node_id)
            },
        )
    return resolved


def current_params(node: Node, component: Component) -> dict[str, JsonValue]:
    """Return the parameters that a node gives, under the names that they have today.

    Where a node gives one under two names, the earlier name stays, so that no value is lost and
    ``check`` can tell.
    """
    params: dict[str, JsonValue] = {}
    for name, value in node.params.items():
        today = component.renamed.get(name, name)
        is_taken = today in node.params or today in params
        params[name if is_taken else today] = value
    return params
