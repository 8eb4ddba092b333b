"""Corrections of pictures as a part of a pipeline: a node behind the data, or the list of one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from imageloom.data.corrections import Correction, parse_corrections
from imageloom.errors import InvalidRequestError

CORRECT_IMAGES: Final = "correct_images"
_IN, _OUT, _LIST = "images", "images", "corrections"
_ROW_HEIGHT: Final = 100.0  # as examples/seed.json has its nodes below each other
_Json = dict[str, JsonValue]


def with_corrections(
    pipeline: Mapping[str, JsonValue], end: str, corrections: Sequence[Correction]
) -> _Json:
    """Return a pipeline whose pictures are corrected where they come out of a node.

    When the node is *Correct Images* itself, or one stands behind it already, that one's list is
    changed; a later correction of a picture takes the place of an earlier one. Else a new node is
    put in, and all that took the pictures takes them from there.

    Args:
        pipeline: As JSON; what is unknown in it stays.
        end: Where the pictures come out: ``convert.images``.
        corrections: Of pictures as they come out there.

    Raises:
        InvalidRequestError: There is no such node.
        ParameterParsingError: The list of the node that is there is none.
    """
    nodes, edges = _objects(pipeline, "nodes"), _objects(pipeline, "edges")
    source = _node(nodes, end.partition(".")[0])
    own = source if source.get("component") == CORRECT_IMAGES else _behind(nodes, edges, end)
    if own is not None:
        changed = _with_list(own, corrections)
        return {**pipeline, "nodes": [changed if one is own else one for one in nodes]}
    new = _with_list(_new_node(nodes, source), corrections)
    led_on = [
        {**one, "from": f"{new['id']}.{_OUT}"} if one.get("from") == end else one for one in edges
    ]
    into: _Json = {"from": end, "to": f"{new['id']}.{_IN}"}
    return {
        **pipeline,
        "nodes": [*_moved_down(nodes, source), new],
        "edges": [*led_on, into],
    }


def has_node(pipeline: Mapping[str, JsonValue], node: str, component: str) -> bool:
    """Whether a pipeline has a node of that id and component."""
    return any(
        one.get("id") == node and one.get("component") == component
        for one in _objects(pipeline, "nodes")
    )


def ends_into(pipeline: Mapping[str, JsonValue], end: str) -> Iterator[tuple[str, str]]:
    """Yield the nodes and input ports to which an output leads."""
    for one in _objects(pipeline, "edges"):
        if one.get("from") == end:
            node, _, port = str(one.get("to")).partition(".")
            yield node, port


def _objects(pipeline: Mapping[str, JsonValue], key: str) -> list[_Json]:
    found = pipeline.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _node(nodes: Sequence[_Json], node: str) -> _Json:
    found = next((one for one in nodes if one.get("id") == node), None)
    if found is None:
        raise InvalidRequestError(
            f"The drawing has no node {node!r} any more.",
            hint="Choose another drawing, or let a new one be made of what ran.",
            reason="no-node",
        )
    return found


def _behind(nodes: Sequence[_Json], edges: Sequence[_Json], end: str) -> _Json | None:
    """Return the correcting node that takes these pictures, if there is one."""
    taking = {str(one.get("to")) for one in edges if one.get("from") == end}
    return next(
        (
            one
            for one in nodes
            if one.get("component") == CORRECT_IMAGES and f"{one.get('id')}.{_IN}" in taking
        ),
        None,
    )


def _with_list(node: _Json, corrections: Sequence[Correction]) -> _Json:
    params = node.get("params")
    kept = params if isinstance(params, dict) else {}
    texts = kept.get(_LIST)
    known = parse_corrections(map(str, texts)) if isinstance(texts, list) else ()
    by_file = {one.file: one for one in (*known, *corrections)}
    lines: list[JsonValue] = [one.to_line() for one in by_file.values()]
    return {**node, "params": {**kept, _LIST: lines}}


def _new_node(nodes: Sequence[_Json], source: _Json) -> _Json:
    taken = {str(one.get("id")).lower() for one in nodes}
    names = (f"correct{'' if number == 1 else f'_{number}'}" for number in range(1, len(nodes) + 2))
    x, y = _position(source)
    return {
        "id": next(name for name in names if name not in taken),
        "component": CORRECT_IMAGES,
        "position": [x, y + _ROW_HEIGHT],
    }


def _moved_down(nodes: Sequence[_Json], source: _Json) -> list[_Json]:
    """Make room below a node: what is lower goes down by a row."""
    _, line = _position(source)
    moved: list[_Json] = []
    for one in nodes:
        x, y = _position(one)
        is_lower = isinstance(one.get("position"), list) and y > line
        moved.append({**one, "position": [x, y + _ROW_HEIGHT]} if is_lower else one)
    return moved


def _position(node: _Json) -> tuple[float, float]:
    found = node.get("position")
    if isinstance(found, list) and len(found) == 2:
        x, y = found
        if isinstance(x, int | float) and isinstance(y, int | float):
            return float(x), float(y)
    return 0.0, 0.0
