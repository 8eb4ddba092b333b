"""The reference of the API as one page without scripts, made from the OpenAPI description."""

import html
from collections.abc import Iterator, Mapping
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { background: Canvas; color: CanvasText; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
h3 { font: 600 1rem ui-monospace, monospace; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent);
  overflow-wrap: anywhere; }
code { font: .9em ui-monospace, monospace; } p { margin: .25rem 0; }
.method { display: inline-block; min-width: 4.5rem; }
"""
_METHODS: Final = ("get", "post", "put", "delete")

Json = Mapping[str, Any]


def reference_page(description: Json) -> str:
    """Return the page.

    Args:
        description: What ``FastAPI.openapi`` returns.
    """
    body = "\n".join(_body(description))
    title = html.escape(f"API of {description['info']['title']} {description['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<main><h1>{title}</h1>{body}</main></html>"
    )


def _body(description: Json) -> Iterator[str]:
    yield (
        "<p>All is JSON. Programs send the token as <code>Authorization: Bearer TOKEN</code>; it "
        "is in the file <code>studio/token</code> below IMAGELOOM_HOME. What changes something "
        "needs <code>Content-Type: application/json</code>. Every answer from 400 on has the form "
        "of <a href='#FailureAnswer'>FailureAnswer</a>. The description for programs is "
        "<a href='/api/openapi.json'>/api/openapi.json</a>.</p>"
    )
    tags: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                text = "".join(_operation(method, path, operation))
                tags.setdefault(operation.get("tags", ["other"])[0], []).append(text)
    for tag, operations in tags.items():
        yield f"<h2>{html.escape(tag.capitalize())}</h2>{''.join(operations)}"
    yield "<h2>Forms</h2>"
    for name, schema in sorted(description["components"]["schemas"].items()):
        yield "".join(_schema(name, schema))


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"<h3><span class='method'>{method.upper()}</span>{html.escape(path)}</h3>"
    yield f"<p>{html.escape(operation.get('description', ''))}</p>"
    rows = [
        (one["name"], one["in"], one["schema"], one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    if rows:
        yield "<table>"
        for name, place, schema, text in rows:
            yield (
                f"<tr><td><code>{html.escape(name)}</code><td>{html.escape(place)}"
                f"<td>{_type(schema)}<td>{html.escape(text)}"
            )
        yield "</table>"
    body = _content(operation.get("requestBody", {}))
    if body:
        yield f"<p>Takes {body}.</p>"
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield f"<p>Answers {status}: {_content(answer) or 'nothing'}.</p>"


def _content(part: Json) -> str:
    kinds = part.get("content", {})
    if "application/json" in kinds:
        return _type(kinds["application/json"].get("schema", {}))
    return html.escape(", ".join(kinds))


def _schema(name: str, schema: Json) -> Iterator[str]:
    summary, _, _ = schema.get("description", "").partition("\n\n")
    yield f"<h3 id='{html.escape(name)}'>{html.escape(name)}</h3><p>{html.escape(summary)}</p>"
    if "enum" in schema:
        yield f"<p>{_type(schema)}</p>"
        return
    texts = _attributes(schema.get("description", ""))
    required = schema.get("required", [])
    yield "<table>"
    for key, value in schema.get("properties", {}).items():
        optional = "" if key in required else " (optional)"
        yield (
            f"<tr><td><code>{html.escape(key)}</code><td>{_type(value)}{optional}"
            f"<td>{html.escape(texts.get(key, ''))}"
        )
    yield "</table>"


def _attributes(text: str) -> dict[str, str]:
    """Return what the section ``Attributes`` of a docstring says of each."""
    _, _, section = text.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        begins = line.startswith("    ") and not line.startswith("     ")
        if begins and ": " in line:
            name, _, found_text = line.strip().partition(": ")
            found[name] = found_text
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "enum" in schema:
        return " | ".join(f"<code>{html.escape(str(one))}</code>" for one in schema["enum"])
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        return " | ".join(_type(one) for one in several)
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_type(schema['additionalProperties'])}"
    return html.escape(kind)
