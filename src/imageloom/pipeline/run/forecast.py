"""What a run would find: which nodes of a pipeline the cache answers already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imageloom.errors import ImageloomError
from imageloom.pipeline.checks.check import MAX_PROBLEMS
from imageloom.pipeline.checks.problems import Problem
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.resolve import ResolvedNode
from imageloom.pipeline.run.keys import LookOutside, look_outside, plan_node
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.component import Outside
from imageloom.spec.job import CacheEntry, Output


@dataclass(frozen=True)
class NotReady:
    """Why nothing can be told of a node yet.

    Attributes:
        node: The node that has the problem: the node itself, or one that it needs. Empty when the
            pipeline has so many problems that not all were looked for.
        problem: The first problem there.
    """

    node: str
    problem: Problem


Forecast = CacheEntry | ImageloomError | NotReady | None


def not_ready(pipeline: Pipeline, problems: Sequence[Problem]) -> dict[str, NotReady]:
    """Return the nodes that cannot run as they are drawn, and why; the others can, one by one.

    Args:
        pipeline: Any.
        problems: What ``check`` found in it.
    """
    first: dict[str, Problem] = {}
    for problem in problems:
        first.setdefault(problem.node, problem)
    blocked = dict(_spread(pipeline, first))
    if len(problems) >= MAX_PROBLEMS:
        rest = (node.id for node in pipeline.nodes if node.id not in blocked)
        blocked |= dict.fromkeys(rest, NotReady("", problems[-1]))
    return blocked


def forecast(
    resolved: Mapping[str, ResolvedNode],
    store: ObjectStore,
    outside: Outside,
    *,
    look: LookOutside = look_outside,
) -> dict[str, Forecast]:
    """Return what a run would find for each node; nothing in the store changes by that.

    Args:
        resolved: All nodes, each after those it needs.
        store: Where results are kept.
        outside: Where components look that read from outside the pipeline.
        look: How they do; an ``OutsideMemo`` remembers.

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
            key = plan_node(node, outputs, outside, look=look).key
        except ImageloomError as problem:
            found[node_id] = problem
            continue
        entry = store.look_up(key)
        if entry is not None:
            found[node_id] = entry
            outputs[node_id] = entry.outputs
    return found


def _spread(pipeline: Pipeline, first: Mapping[str, Problem]) -> Iterator[tuple[str, NotReady]]:
    """Yield nodes with problems, then those that need them, each with the nearest problem.

    A problem may be of a node that is not in the pipeline, which an edge names.
    """
    wave = {node_id: NotReady(node_id, problem) for node_id, problem in first.items() if node_id}
    seen = set(wave)
    while wave:
        yield from ((node_id, why) for node_id, why in wave.items() if node_id in pipeline)
        after: dict[str, NotReady] = {}
        for node_id, why in wave.items():
            for edge in pipeline.edges_from(node_id):
                if edge.to_node in pipeline and edge.to_node not in seen:
                    seen.add(edge.to_node)
                    after[edge.to_node] = why
        wave = after
