"""The order of a pipeline's nodes: what comes before what, and cycles, which have no order.

Nothing here recurses: a chain may have 10,000 nodes. Edges to nodes that are not there are left
out; ``check`` reports them.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from imageloom.errors import InvalidPipelineError
from imageloom.pipeline.graph.graph import Pipeline

_SHOWN: Final = 12


def topological_order(pipeline: Pipeline) -> tuple[str, ...]:
    """Return all node ids so that each stands after those it needs, else in the pipeline's order.

    Raises:
        InvalidPipelineError: There is a cycle; the message names its nodes in order.
    """
    place = {node.id: number for number, node in enumerate(pipeline.nodes)}
    missing = {node_id: len(_before(pipeline, node_id)) for node_id in place}
    ready = [place[node_id] for node_id, number in missing.items() if number == 0]
    order: list[str] = []
    while ready:
        node_id = pipeline.nodes[heapq.heappop(ready)].id
        order.append(node_id)
        for after in _after(pipeline, node_id):
            missing[after] -= 1
            if missing[after] == 0:
                heapq.heappush(ready, place[after])
    if len(order) < len(place):
        cycle = next(find_cycles(pipeline))
        raise InvalidPipelineError(
            f"{pipeline.name}: the nodes {cycle_text(cycle)} form a cycle.",
            hint="Remove one of these edges.",
            reason="cycle",
        )
    return tuple(order)


def find_cycles(pipeline: Pipeline) -> Iterator[tuple[str, ...]]:
    """Yield cycles as node ids in order, such as ``a, b``; none shares a node with another.

    There are none exactly when the pipeline can be ordered: each knot of nodes that lie on cycles
    gives at least one.
    """
    on_path: dict[str, bool] = {}  # False once all that comes after a node is known
    reported: set[str] = set()
    for node in pipeline.nodes:
        if node.id in on_path:
            continue
        path, branches = [node.id], [iter(_after(pipeline, node.id))]
        on_path[node.id] = True
        while branches:
            child = next(branches[-1], None)
            if child is None:
                branches.pop()
                on_path[path.pop()] = False
            elif child not in on_path:
                on_path[child] = True
                path.append(child)
                branches.append(iter(_after(pipeline, child)))
            elif on_path[child] and not {child, path[-1]} & reported:  # spares the walk below
                cycle = path[path.index(child) :]
                if reported.isdisjoint(cycle):
                    reported.update(cycle)
                    yield tuple(cycle)


def cycle_text(cycle: tuple[str, ...]) -> str:
    """Return a cycle as people read it: ``'a' -> 'b' -> 'a'``."""
    names = [repr(node_id) for node_id in cycle]
    if len(names) > _SHOWN:
        left = len(names) - _SHOWN
        names = [*names[: _SHOWN - 1], f"({left:,} more)", names[-1]]
    return " -> ".join([*names, names[0]])


def upstream(pipeline: Pipeline, node_ids: Iterable[str]) -> frozenset[str]:
    """Return these nodes and all that they need."""
    return _reached(node_ids, lambda node_id: _before(pipeline, node_id))


def downstream(pipeline: Pipeline, node_ids: Iterable[str]) -> frozenset[str]:
    """Return these nodes and all that depends on them."""
    return _reached(node_ids, lambda node_id: _after(pipeline, node_id))


def _reached(
    node_ids: Iterable[str], neighbours: Callable[[str], tuple[str, ...]]
) -> frozenset[str]:
    reached = set(node_ids)
    waiting = list(reached)
    while waiting:
        for neighbour in neighbours(waiting.pop()):
            if neighbour not in reached:
                reached.add(neighbour)
                waiting.append(neighbour)
    return frozenset(reached)


def _before(pipeline: Pipeline, node_id: str) -> tuple[str, ...]:
    """Return the nodes that one needs, once for each edge."""
    return tuple(e.from_node for e in pipeline.edges_into(node_id) if e.from_node in pipeline)


def _after(pipeline: Pipeline, node_id: str) -> tuple[str, ...]:
    """Return the nodes that need one, once for each edge."""
    return tuple(e.to_node for e in pipeline.edges_from(node_id) if e.to_node in pipeline)
