"""Where the content of a file does not have the form of a pipeline, in words for people."""

from typing import Final

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from imageloom.errors import InvalidPipelineError
from imageloom.pipeline.graph.graph import ID_RULE, MAX_EDGES, MAX_NODES
from imageloom.pipeline.graph.old_formats import Content
from imageloom.system.wording import count

_SHOWN: Final = 20

_EXPECTED: Final = {
    "string_type": "text",
    "dict_type": "an object",
    "model_type": "an object",
    "list_type": "a list",
    "int_type": "a whole number",
    "float_type": "a number",
    "greater_than_equal": "at least 1",
    "string_too_short": "a name",
    "string_too_long": "a shorter name",
}
_EXPECTED_AT: Final = {
    "kind": '"pipeline"',
    "id": ID_RULE,
    "from": '"node.output", such as "split.first"',
    "to": '"node.input", such as "train.training"',
    "position": "two numbers",
    "nodes": f"at most {MAX_NODES:,} nodes",
    "edges": f"at most {MAX_EDGES:,} edges",
}


def form_error(error: ValidationError, content: Content, where: str) -> InvalidPipelineError:
    """Return one error that lists all places where the content differs from the form."""
    details = error.errors()
    lines = [_sentence(detail, content) for detail in details[:_SHOWN]]
    if len(details) > _SHOWN:
        lines.append(f"And {len(details) - _SHOWN:,} more.")
    if len(lines) == 1:
        message = f"{where}: {lines[0]}"
    else:
        message = f"{where} has {count(len(details), 'problem')}:\n- " + "\n- ".join(lines)
    return InvalidPipelineError(
        message,
        hint="See docs/reference/pipeline-format.md.",
        reason="bad-format",
        details={"problems": len(details)},
    )


def _sentence(detail: ErrorDetails, content: Content) -> str:
    path = _path(detail["loc"], content)
    if detail["type"] == "missing":
        outer, _, key = path.rpartition(".")
        return f"{outer or 'the file'} lacks the key {key!r}."
    expected = _EXPECTED.get(detail["type"]) or _EXPECTED_AT.get(str(detail["loc"][-1]))
    given = detail["input"]
    if isinstance(given, dict | list):
        given_text = count(len(given), "entry", "entries")
    else:
        given_text = repr(given) if len(repr(given)) <= 80 else f"{repr(given)[:77]}..."
    return f"{path} is {given_text}, but must be {expected or detail['msg']}."


def _path(place: tuple[int | str, ...], content: Content) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    if place[0] == "nodes" and len(place) > 1:
        parts[1] += _name_of(content["nodes"], place[1])
    return "".join(parts).removeprefix(".")


def _name_of(nodes: JsonValue, position: int | str) -> str:
    """Return the id of a node in brackets, as far as the content has one."""
    node = nodes[position] if isinstance(nodes, list) and isinstance(position, int) else None
    node_id = node.get("id") if isinstance(node, dict) else None
    return f" ({node_id!r})" if isinstance(node_id, str) and len(node_id) <= 64 else ""
