"""What the result of a node depends on, as a digest: results of equal keys are equal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imageloom.files.publish import digest_of_json
from imageloom.pipeline.graph.resolve import ResolvedNode
from imageloom.spec.component import Outside
from imageloom.spec.job import Output

LookOutside = Callable[[ResolvedNode, Outside], str]
"""Returns a text that changes when what a node reads from outside does; may raise."""


@dataclass(frozen=True)
class PlannedNode:
    """A node whose inputs are there.

    Attributes:
        resolved: The node with all its parameters.
        inputs: The outputs of other nodes that it takes, by its input port.
        key: What its result depends on.
    """

    resolved: ResolvedNode
    inputs: Mapping[str, Output]
    key: str


def look_outside(resolved: ResolvedNode, outside: Outside) -> str:
    """Return the fingerprint of what a node reads from outside; empty when it reads nothing.

    Raises:
        ImageloomError: There is nothing where it reads.
    """
    component = resolved.component
    return "" if component.fingerprint is None else component.fingerprint(resolved.params, outside)


def plan_node(
    resolved: ResolvedNode,
    outputs: Mapping[str, Mapping[str, Output]],
    outside: Outside,
    *,
    look: LookOutside = look_outside,
) -> PlannedNode:
    """Return a node with its inputs and its key.

    Args:
        resolved: The node.
        outputs: By node id and port, at least those of the nodes it needs.
        outside: Where a component looks that reads from outside the pipeline.
        look: How it does; whoever only forecasts may remember what it saw.

    Raises:
        ImageloomError: What the node reads from outside the pipeline is not there.
    """
    inputs = {port: outputs[node_id][name] for port, (node_id, name) in resolved.inputs.items()}
    digests = {port: output.digest for port, output in inputs.items()}
    return PlannedNode(resolved, inputs, node_key(resolved, digests, look(resolved, outside)))


def node_key(resolved: ResolvedNode, input_digests: Mapping[str, str], outside: str) -> str:
    """Return the digest of all that a node's result depends on.

    Its id, title, place and run are no part of it, nor are parameters that only change how fast
    the result is made, so a node that was renamed or moved takes its result from the cache.

    Args:
        resolved: The node.
        input_digests: What its inputs mean, by port; optional ones that are not joined are absent.
        outside: Fingerprint of what it reads besides its inputs; empty for most.
    """
    component = resolved.component
    settings = resolved.settings.output_values() if component.has_run_settings else {}
    return digest_of_json(
        {
            "component": component.name,
            "version": component.version,
            "params": resolved.params.output_values(),
            "settings": settings,
            "inputs": dict(input_digests),
            "outside": outside,
        }
    )
