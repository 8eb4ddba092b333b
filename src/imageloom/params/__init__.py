"""One declaration of a parameter: range, error, flag, schema and page follow."""

from imageloom.params.declaration import (
    ParameterDescription,
    Params,
    ShownWhen,
    Value,
    describe,
    parameter,
)
from imageloom.params.text import NOTHING, value_text

__all__ = [
    "NOTHING",
    "ParameterDescription",
    "Params",
    "ShownWhen",
    "Value",
    "describe",
    "parameter",
    "value_text",
]
