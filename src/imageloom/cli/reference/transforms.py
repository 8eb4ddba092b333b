"""The reference page of transforms, made from ``imageloom.preprocessing``."""

import typing
from typing import cast

from pydantic import BaseModel

from imageloom import preprocessing

_START = """\
# Transforms

What is done to a picture before the network sees it is data: a list of the operations below, each
a JSON object with its `kind` and its fields. Image directories carry such a list, and a trained
model keeps its inference form. The pixels on disk never change. Random operations are drawn
afresh for every picture in every epoch, from the seed; the same seed gives the same pixels
whatever the number of workers.

The inference form of a list leaves random operations out, except that crops decide the size:
`random_crop` becomes the crop of the middle, and `random_resized_crop` becomes a resize and a crop
of the middle. A list must end in one square size.

```json
[{"kind": "resize", "size": 256}, {"kind": "center_crop", "size": 224}]
```
"""


def operations() -> tuple[type[BaseModel], ...]:
    """Return the classes of all operations, in the order in which they are documented."""
    union, _discriminator = typing.get_args(preprocessing.Operation)
    return cast(tuple[type[BaseModel], ...], typing.get_args(union))


def page() -> str:
    """Return the page."""
    return "\n".join([_START, *(_section(operation) for operation in operations())])


def _section(operation: type[BaseModel]) -> str:
    kind = operation.model_fields["kind"].default
    is_random = "Random." if getattr(operation, "is_random", False) else "Always the same."
    text = (operation.__doc__ or "").replace("``", "`").strip()
    lines = [f"## {kind}", "", *(line.strip() for line in text.splitlines()), "", is_random]
    fields = operation.model_json_schema()["properties"]
    rows = [
        f"| `{name}` | `{schema['default']}` | {_range(schema)} |"
        for name, schema in fields.items()
        if name != "kind"
    ]
    if rows:
        lines += ["", "| Field | Default | Values |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _range(schema: dict[str, object]) -> str:
    names = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[key]:,}" for key, sign in names.items() if key in schema]
    kind = {"integer": "whole number", "number": "number"}[str(schema["type"])]
    return f"{kind}, {' and '.join(bounds)}".replace("<", "&lt;")
