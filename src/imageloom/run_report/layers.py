"""Where the nodes of a graph stand in a drawing: in layers, each below all that it needs.

Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system
structures", 1981: longest-path layers, bends where an edge passes a layer, and sweeps that order
each layer by the mean of its neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SWEEPS: Final = 4
_MOST_BENDS: Final = 5_000  # beyond that edges are drawn straight, so that drawing takes a moment

Needs = Mapping[str, Sequence[str]]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Layers:
    """What stands in each layer.

    Attributes:
        rows: Names of nodes and bends, from left to right, by layer.
        bends: Names of the bends of each edge that passes layers, from top to bottom, by the
            names of its two nodes.
    """

    rows: list[list[str]]
    bends: Mapping[Pair, list[str]]


def lay_out(needs: Needs) -> Layers:
    """Return nodes and bends by layer, ordered so that edges cross little.

    Args:
        needs: The nodes that each node takes its inputs from; no cycle. All nodes are keys.
    """
    depth = _depths(needs)
    bends, joined = _bent(needs, depth)
    for (source, _), names in bends.items():
        depth |= {name: depth[source] + number for number, name in enumerate(names, start=1)}
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in joined:
        rows[depth[name]].append(name)
    feeds = _turned(joined)
    for _ in range(_SWEEPS):
        _sweep(rows, joined)
        _sweep(rows[::-1], feeds)
    return Layers(rows, bends)


def _depths(needs: Needs) -> dict[str, int]:
    """Return the layer of each node; without recursion, for long chains."""
    depth: dict[str, int] = {}
    waiting = list(needs)
    while waiting:
        node = waiting[-1]
        unknown = [source for source in needs[node] if source not in depth]
        if unknown:
            waiting += unknown
            continue
        depth[node] = max((depth[source] + 1 for source in needs[node]), default=0)
        waiting.pop()
    for node, children in _turned(needs).items():
        if children and not needs[node]:  # what needs nothing stands just above who needs it
            depth[node] = min(depth[child] for child in children) - 1
    return depth


def _bent(needs: Needs, depth: Mapping[str, int]) -> tuple[dict[Pair, list[str]], Needs]:
    """Return the bends of all long edges, and the graph with the bends as nodes in it."""
    joined = {node: list(sources) for node, sources in needs.items()}
    spans = {
        (source, node): depth[node] - depth[source] for node in needs for source in needs[node]
    }
    if sum(spans.values()) - len(spans) > _MOST_BENDS:
        return {}, joined
    bends = {
        (source, node): [f"{source} > {node} {number}" for number in range(1, span)]
        for (source, node), span in spans.items()
        if span > 1
    }
    for (source, node), names in bends.items():
        joined |= {name: [before] for before, name in zip([source, *names], names, strict=False)}
        joined[node] = [names[-1] if one == source else one for one in joined[node]]
    return bends, joined


def _turned(needs: Needs) -> dict[str, list[str]]:
    """Return the nodes that need each node."""
    feeds: dict[str, list[str]] = {node: [] for node in needs}
    for node, sources in needs.items():
        for source in sources:
            feeds[source].append(node)
    return feeds


def _sweep(rows: Sequence[list[str]], neighbours: Needs) -> None:
    """Order each row by the mean place, from -1 to 1, of the neighbours in the rows before."""
    place: dict[str, float] = {}
    for row in rows:
        wanted = _places(row)
        for node in row:
            known = [place[one] for one in neighbours[node] if one in place]
            if known:
                wanted[node] = sum(known) / len(known)
        row.sort(key=wanted.__getitem__)
        place |= _places(row)


def _places(row: Sequence[str]) -> dict[str, float]:
    return {node: (2 * index + 1) / len(row) - 1 for index, node in enumerate(row)}
