"""One declaration of a parameter: range, error, flag, schema and page follow."""

from imageloom.params.declaration import (
    ParameterDescription,
    Params,
    ShownWhen,
    Value,
    describe,
    parameter,
)

__all__ = ["ParameterDescription", "Params", "ShownWhen", "Value", "describe", "parameter"]
