"""Pipeline files of earlier format versions, brought up to today's by one step for each version.

A step works on plain JSON and keeps every key that it does not know. To raise the format version:
raise ``FORMAT_VERSION`` and add the step from the former one to ``_STEPS``.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue

from imageloom.errors import InvalidPipelineError

FORMAT_VERSION: Final = 2

Content = Mapping[str, JsonValue]


def upgrade(content: Content, where: str) -> Content:
    """Return the content of a pipeline file in today's format.

    Raises:
        InvalidPipelineError: The content has no format version, a newer one than ours, or does
            not have the form of its version.
    """
    version = content.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        found = "lacks the key 'format_version'"
        if "format_version" in content:
            found = f"has the format_version {version!r}"
        raise InvalidPipelineError(
            f"{where} {found}, so it is no pipeline.",
            hint=f"A pipeline of today has the format_version {FORMAT_VERSION}.",
            reason="not-a-pipeline",
        )
    if version > FORMAT_VERSION:
        raise InvalidPipelineError(
            f"{where} has the format version {version}; this Imageloom reads up to "
            f"{FORMAT_VERSION}.",
            hint="Update Imageloom to open it. The file was left as it is.",
            reason="newer-format",
            details={"format_version": str(version), "known": FORMAT_VERSION},
        )
    for step in range(version, FORMAT_VERSION):
        try:
            content = {**_STEPS[step](content), "format_version": step + 1}
        except _NotOfThisVersionError as problem:
            raise InvalidPipelineError(
                f"{where} has the format version {step}, but {problem}",
                hint="See docs/reference/pipeline-format.md.",
                reason="bad-format",
            ) from problem
    return content


class _NotOfThisVersionError(Exception):
    """The content does not have the form that its version says; the text tells where."""


def _from_1(content: Content) -> Content:
    """Nodes were called modules, and an edge was two pairs of node and port."""
    modules = _list_at(content, "modules")
    edges = _list_at(content, "edges")
    renamed = _renamed(content, {"modules": "nodes"}, "the file")
    return {
        "kind": "pipeline",
        **renamed,
        "nodes": [_node_from_1(module, f"modules[{n}]") for n, module in enumerate(modules)],
        "edges": [_edge_from_1(edge, f"edges[{n}]") for n, edge in enumerate(edges)],
    }


def _node_from_1(module: JsonValue, where: str) -> JsonValue:
    if not isinstance(module, dict):
        raise _NotOfThisVersionError(f"{where} is no object.")
    return _renamed(module, {"module": "component", "parameters": "params"}, where)


def _edge_from_1(edge: JsonValue, where: str) -> JsonValue:
    match edge:
        case [[str() as from_node, str() as from_port], [str() as to_node, str() as to_port]] if (
            "." not in from_node + to_node  # where the id ends must stay clear
        ):
            return {"from": f"{from_node}.{from_port}", "to": f"{to_node}.{to_port}"}
    raise _NotOfThisVersionError(
        f'{where} is not of the form [["node", "output"], ["node", "input"]].'
    )


def _list_at(content: Content, key: str) -> list[JsonValue]:
    found = content.get(key)
    if not isinstance(found, list):
        raise _NotOfThisVersionError(f"{key} is no list.")
    return found


def _renamed(content: Content, names: Mapping[str, str], where: str) -> dict[str, JsonValue]:
    for old, new in names.items():
        if old in content and new in content:
            raise _NotOfThisVersionError(f"{where} has both {old!r} and {new!r}.")
    return {names.get(key, key): value for key, value in content.items()}


_STEPS: Final[Mapping[int, Callable[[Content], Content]]] = {1: _from_1}
