"""Parameters of a function: one description that makes the form, the flag, the schema and the docs.

A parameter set is a frozen pydantic model. Every field has a default, a description, and, where
they apply, bounds, choices and a unit::

    class SplitParams(Params):
        fraction: float = parameter(0.9, help="Part of the pictures that come first.", gt=0, lt=1)
"""

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from imageloom.errors import (
    GreaterThanError,
    GreaterThanOrEqualToError,
    LessThanOrEqualToError,
    NotInRangeValueError,
    ParameterError,
    ParameterParsingError,
    UnknownNameError,
    unknown_name,
)

Kind = Literal["int", "float", "bool", "str", "choice", "list"]
Value = str | int | float | bool | tuple[str, ...] | None


class Params(BaseModel):
    """Base of all parameter sets: frozen, strict about types, closed to unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _read_number(cls, value: object, info: ValidationInfo) -> object:
        """Take text such as "1e-3" for a number with a fraction, and never True for 1.0."""
        inner, _ = _without_none(cls.model_fields[info.field_name or ""].annotation)
        if inner is not float or not isinstance(value, str | bool):
            return value
        if isinstance(value, bool):
            raise ValueError("is a truth value")
        try:
            return float(value)
        except ValueError:
            return value

    if not typing.TYPE_CHECKING:  # type checkers know the fields only without it

        def __init__(self, **values: object) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise _parameter_error(type(self), error) from None

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nul(cls, value: object) -> object:
        """Refuse a character that no path and no name can hold."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("holds a NUL character")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _read_list(cls, value: object, info: ValidationInfo) -> object:
        """Take the list of a file for a tuple, which nobody can change."""
        inner, _ = _without_none(cls.model_fields[info.field_name or ""].annotation)
        if typing.get_origin(inner) is tuple and isinstance(value, list):
            return tuple(value)
        return value

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Return the parameter set for values from a form, a flag or a JSON file.

        Raises:
            ParameterError: A subclass that fits the first problem; the message lists them all.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _parameter_error(cls, error) from None

    def replace(self, **changes: Value) -> Self:
        """Return a copy with some values changed, checked again."""
        return self.parse(self.model_dump() | changes)

    def output_values(self) -> dict[str, Value]:
        """Return the values that can change a result, defaults included, by name."""
        return {
            one.name: getattr(self, one.name) for one in describe(type(self)) if one.affects_output
        }


def parameter(  # noqa: PLR0913 - mirrors pydantic.Field
    default: Value,
    *,
    help: str,
    title: str = "",
    unit: str = "",
    affects_output: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
) -> Any:  # noqa: ANN401 - as pydantic.Field does, so that the annotation is the field's type
    """Declare one parameter: its default, bounds, unit and one or two sentences of help.

    ``title`` is its label in a form, made from the name by default. A parameter that changes how
    fast or how chattily a result is made, but not the result, has ``affects_output=False``: two
    runs that differ only there share their results.
    """
    return Field(
        default,
        title=title or None,
        description=help,
        gt=gt,
        ge=ge,
        lt=lt,
        le=le,
        json_schema_extra={"unit": unit, "affects_output": affects_output},
    )


@dataclass(frozen=True)
class ParameterDescription:
    """What a form, a flag or a page of docs needs to know of one parameter.

    Attributes:
        name: Name in Python and JSON: ``batch_size``.
        title: Label in a form: ``Batch size``.
        kind: ``int``, ``float``, ``bool``, ``str``, ``choice`` or ``list``, which is one of texts.
        default: Value when nothing is given.
        optional: Whether None is allowed.
        choices: Allowed values of a ``choice``.
        range_text: Bounds as text, such as ``> 0``; empty when unbounded.
        unit: Unit of the value, or empty.
        help: One or two sentences.
        affects_output: Whether another value can give another result.
    """

    name: str
    title: str
    kind: Kind
    default: Value
    optional: bool
    choices: tuple[str, ...]
    range_text: str
    unit: str
    help: str
    affects_output: bool

    @property
    def flag(self) -> str:
        """The option on the command line: ``--batch-size``."""
        return "--" + self.name.replace("_", "-")


@functools.cache  # asked for every node of a pipeline, and a class does not change
def describe(params: type[Params]) -> tuple[ParameterDescription, ...]:
    """Return the description of every parameter, in order of declaration."""
    return tuple(_describe_field(name, field) for name, field in params.model_fields.items())


def _describe_field(name: str, field: FieldInfo) -> ParameterDescription:
    inner, optional = _without_none(field.annotation)
    choices: tuple[str, ...] = ()
    kind: str
    if typing.get_origin(inner) is Literal:
        kind, choices = "choice", tuple(str(choice) for choice in typing.get_args(inner))
    elif typing.get_origin(inner) is tuple:
        kind = "list"
    else:
        kind = {int: "int", float: "float", bool: "bool", str: "str"}[inner]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return ParameterDescription(
        name=name,
        title=field.title or name.replace("_", " ").capitalize(),
        kind=typing.cast(Kind, kind),
        default=None if field.default is PydanticUndefined else field.default,
        optional=optional,
        choices=choices,
        range_text=_range_text(field),
        unit=str(extra.get("unit", "")),
        help=field.description or "",
        affects_output=bool(extra.get("affects_output", True)),
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - a type expression
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        return parts[0], True
    return annotation, False


_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_INT64_BOUNDS = (-(2**63), 2**63)  # where libraries end, which is no bound that a person chooses


def _range_text(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(rule, attribute):,}"
        for rule in field.metadata
        for attribute, sign in _SIGNS.items()
        if getattr(rule, attribute, None) not in (None, *_INT64_BOUNDS)
    ]
    return " and ".join(bounds)


_BOUND_ERRORS: dict[str, tuple[type[ParameterError], str, str]] = {
    "greater_than": (GreaterThanError, "gt", "greater than"),
    "greater_than_equal": (GreaterThanOrEqualToError, "ge", "at least"),
    "less_than": (NotInRangeValueError, "lt", "less than"),
    "less_than_equal": (LessThanOrEqualToError, "le", "at most"),
}


def _parameter_error(params: type[Params], error: ValidationError) -> ParameterError:
    problems = [_one_problem(params, detail) for detail in error.errors()]
    first = problems[0]
    if len(problems) == 1:
        return first
    return type(first)(
        "\n".join(problem.message for problem in problems),
        hint=" ".join(dict.fromkeys(problem.hint for problem in problems if problem.hint)),
        details=first.details,
    )


def _one_problem(params: type[Params], detail: ErrorDetails) -> ParameterError:
    known = {description.name: description for description in describe(params)}
    place = detail["loc"]
    is_item = len(place) > 1 and known.get(str(place[0])) is not None
    name = str(place[0]) if is_item else ".".join(map(str, place)) or "parameters"
    given = _short(detail["input"])
    if detail["type"] == "extra_forbidden":
        unknown = unknown_name("parameter", name, tuple(known))
        return UnknownNameError(unknown.message, hint=unknown.hint, details=unknown.details)
    if detail["type"] in _BOUND_ERRORS:
        kind, key, words = _BOUND_ERRORS[detail["type"]]
        bound = detail["ctx"][key]
        return kind(
            f"{name} is {given}, but must be {words} {bound:,}.",
            hint=f"{name}: {known[name].help}" if name in known else "",
            details={"parameter": name, "value": given, "bound": bound},
        )
    if detail["type"] == "finite_number":
        return NotInRangeValueError(
            f"{name} is {given}, but must be a finite number.",
            details={"parameter": name, "value": given},
        )
    return _parsing_problem(name, detail["input"], known.get(name), detail["msg"])


def _parsing_problem(
    name: str, value: object, known: ParameterDescription | None, message: str
) -> ParameterParsingError:
    expected = message
    hint = ""
    if known is not None:
        expected = f"one of {', '.join(known.choices)}" if known.choices else _KINDS[known.kind]
        hint = f"The default is {known.default}."
        if known.kind == "float" and isinstance(value, str) and "," in value:
            hint = "Write the fraction with a point, as in 0.1."
    if isinstance(value, str) and "\0" in value:
        expected = "text without NUL characters"
    return ParameterParsingError(
        f"{name} is {_short(value)}, but must be {expected}.",
        hint=hint,
        details={"parameter": name, "value": _short(value)},
    )


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "choice": "a choice",
    "list": 'a list of texts, as in ["one", "two"]',
}


def _short(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
