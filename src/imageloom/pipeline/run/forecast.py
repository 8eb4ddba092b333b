"""What a run would find: which nodes of a pipeline the cache answers already."""

from collections.abc import Mapping

from imageloom.errors import ImageloomError
from imageloom.pipeline.graph.resolve import ResolvedNode
from imageloom.pipeline.run.keys import plan_node
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.component import Outside
from imageloom.spec.job import CacheEntry, Output

Forecast = CacheEntry | ImageloomError | None


def forecast(
    resolved: Mapping[str, ResolvedNode], store: ObjectStore, outside: Outside
) -> dict[str, Forecast]:
    """Return what a run would find for each node; nothing in the store changes by that.

    Args:
        resolved: All nodes, each after those it needs.
        store: Where results are kept.
        outside: Where components look that read from outside the pipeline.

    Returns:
        The result that is there; the error of a node that reads from outside what is not there;
        or None for a node that has to be made, as has all that needs such a node.
    """
    outputs: dict[str, Mapping[str, Output]] = {}
    found: dict[str, Forecast] = {}
    for node_id, node in resolved.items():
        found[node_id] = None
        if any(source not in outputs for source, _ in node.inputs.values()):
            continue
        try:
            key = plan_node(node, outputs, outside).key
        except ImageloomError as problem:
            found[node_id] = problem
            continue
        entry = store.look_up(key)
        if entry is not None:
            found[node_id] = entry
            outputs[node_id] = entry.outputs
    return found
