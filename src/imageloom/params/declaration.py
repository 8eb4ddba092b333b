"""Parameters of a function: one description that makes the form, the flag, the schema and the docs.

A parameter set is a frozen pydantic model. Every field has a default, a description, and, where
they apply, bounds, choices and a unit::

    class SplitParams(Params):
        fraction: float = parameter(0.9, help="Part of the pictures that come first.", gt=0, lt=1)

A word may stand in place of a number: ``int | Literal["auto"]``.
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
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from imageloom.params.errors import parameter_error

Kind = Literal["int", "float", "bool", "str", "choice", "list"]
Value = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True)
class ShownWhen:
    """When a parameter matters: while another one has one of these values.

    Attributes:
        parameter: The other one.
        values: Any of these.
    """

    parameter: str
    values: tuple[str | bool, ...] = (True,)

    def to_extra(self) -> JsonDict:
        """Return it as pydantic keeps what it does not know."""
        return {"parameter": self.parameter, "values": [*self.values]}


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

    @field_validator("*", mode="wrap")
    @classmethod
    def _take_word(
        cls, value: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        """Take a word that stands beside numbers, to which no bound applies."""
        words = _words_of(cls.model_fields[info.field_name or ""].annotation)
        return value if isinstance(value, str) and value in words else check(value)

    if not typing.TYPE_CHECKING:  # type checkers know the fields only without it

        def __init__(self, **values: object) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise parameter_error(describe(type(self)), error) from None

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
            raise parameter_error(describe(cls), error) from None

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
    section: str = "",
    shown_when: ShownWhen | None = None,
    affects_output: bool = True,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
) -> Any:  # noqa: ANN401 - as pydantic.Field does, so that the annotation is the field's type
    """Declare one parameter: its default, bounds, unit and one or two sentences of help.

    ``title`` is its label in a form, made from the name by default; ``section`` is the heading it
    stands under there, and ``shown_when`` says when it matters. A parameter that changes how
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
        json_schema_extra={
            "unit": unit,
            "affects_output": affects_output,
            "section": section,
            "shown_when": shown_when.to_extra() if shown_when else None,
        },
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
        words: What may stand in place of a number, such as ``auto``.
        minimum: Least value, or None when there is no bound.
        maximum: Greatest value, or None when there is no bound.
        exclusive: Which of ``minimum`` and ``maximum`` are no values themselves.
        range_text: Bounds as text, such as ``> 0``; empty when unbounded.
        unit: Unit of the value, or empty.
        help: One or two sentences.
        affects_output: Whether another value can give another result.
        section: Heading in a form, or empty.
        shown_when: When it matters; None for always.
    """

    name: str
    title: str
    kind: Kind
    default: Value
    optional: bool
    choices: tuple[str, ...]
    words: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    exclusive: tuple[Literal["minimum", "maximum"], ...]
    range_text: str
    unit: str
    help: str
    affects_output: bool
    section: str
    shown_when: ShownWhen | None

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
    bounds = _bounds(field)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return ParameterDescription(
        name=name,
        title=field.title or name.replace("_", " ").capitalize(),
        kind=typing.cast(Kind, kind),
        default=None if field.default is PydanticUndefined else field.default,
        optional=optional,
        choices=choices,
        words=_words_of(field.annotation),
        minimum=bounds.get("ge", bounds.get("gt")),
        maximum=bounds.get("le", bounds.get("lt")),
        exclusive=tuple(side for sign, side in _EXCLUSIVE.items() if sign in bounds),
        range_text=" and ".join(f"{_SIGNS[sign]} {bound:,}" for sign, bound in bounds.items()),
        unit=str(extra.get("unit", "")),
        help=field.description or "",
        affects_output=bool(extra.get("affects_output", True)),
        section=str(extra.get("section", "")),
        shown_when=_shown_when(extra.get("shown_when")),
    )


def _shown_when(extra: object) -> ShownWhen | None:
    return (
        ShownWhen(extra["parameter"], tuple(extra["values"])) if isinstance(extra, dict) else None
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - a type expression
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = typing.get_args(annotation)
        return next(part for part in parts if part is not type(None)), type(None) in parts
    return annotation, False


def _words_of(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type expression
    """Return the words of ``int | Literal["auto"]``."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return ()
    first, *others = typing.get_args(annotation)
    literals = [one for one in others if typing.get_origin(one) is Literal]
    return (
        tuple(word for one in literals for word in typing.get_args(one))
        if first in _NUMBERS
        else ()
    )


_NUMBERS = (int, float)
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_EXCLUSIVE: dict[str, Literal["minimum", "maximum"]] = {"gt": "minimum", "lt": "maximum"}
_INT64_BOUNDS = (-(2**63), 2**63)  # where libraries end, which is no bound that a person chooses


def _bounds(field: FieldInfo) -> dict[str, float]:
    """Return the bounds that a person can meet, by how pydantic calls them."""
    return {
        sign: getattr(rule, sign)
        for rule in field.metadata
        for sign in _SIGNS
        if getattr(rule, sign, None) not in (None, *_INT64_BOUNDS)
    }
