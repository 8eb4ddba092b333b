"""What pydantic finds wrong with parameters, as errors that name field, value and bound."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import ErrorDetails

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

if TYPE_CHECKING:
    from imageloom.params.declaration import ParameterDescription

_BOUND_ERRORS: dict[str, tuple[type[ParameterError], str, str]] = {
    "greater_than": (GreaterThanError, "gt", "greater than"),
    "greater_than_equal": (GreaterThanOrEqualToError, "ge", "at least"),
    "less_than": (NotInRangeValueError, "lt", "less than"),
    "less_than_equal": (LessThanOrEqualToError, "le", "at most"),
}


def parameter_error(
    described: "Iterable[ParameterDescription]", error: ValidationError
) -> ParameterError:
    """Return the error that fits the first problem; the message lists them all.

    Args:
        described: The parameters that there are.
        error: What pydantic found.
    """
    known = {one.name: one for one in described}
    # What is neither a number nor the word beside it is found wrong twice, in the same words.
    found = [_one_problem(known, detail) for detail in error.errors()]
    problems = list({problem.message: problem for problem in found}.values())
    first = problems[0]
    if len(problems) == 1:
        return first
    return type(first)(
        "\n".join(problem.message for problem in problems),
        hint=" ".join(dict.fromkeys(problem.hint for problem in problems if problem.hint)),
        details=first.details,
    )


def _one_problem(
    known: "Mapping[str, ParameterDescription]", detail: ErrorDetails
) -> ParameterError:
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
    name: str, value: object, known: "ParameterDescription | None", message: str
) -> ParameterParsingError:
    expected = message
    hint = ""
    if known is not None:
        expected = f"one of {', '.join(known.choices)}" if known.choices else _KINDS[known.kind]
        expected = " or ".join([expected, *known.words])
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
