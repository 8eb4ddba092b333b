"""Where the nodes of a graph stand in a drawing: in layers, each below all that it needs."""

from collections.abc import Mapping, Sequence
from typing import Final

_SWEEPS: Final = 4


def layers(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the nodes by layer, ordered so that edges cross little.

    Args:
        needs: The nodes that each node takes its inputs from; no cycle. All nodes are keys.

    Source:
        Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system
        structures", 1981: longest-path layers, then sweeps that order by the mean of neighbours.
    """
    depth = _depths(needs)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in needs:
        rows[depth[node]].append(node)
    feeds: dict[str, list[str]] = {node: [] for node in needs}
    for node, sources in needs.items():
        for source in sources:
            feeds[source].append(node)
    for _ in range(_SWEEPS):
        _sweep(rows, needs)
        _sweep(rows[::-1], feeds)
    return rows


def _depths(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the longest way from a node without inputs; without recursion, for long chains."""
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
    return depth


def _sweep(rows: Sequence[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
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
