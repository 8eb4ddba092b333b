"""What a search varies, as people write it: ``train.learning_rate=1e-4..1e-1:log``."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from imageloom.errors import ParameterError, ParameterParsingError, unknown_name
from imageloom.params import ParameterDescription, describe, value_text
from imageloom.pipeline.graph.changes import value_from_text
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.registry import Registry
from imageloom.spec.component import Component

Choice = str | int | float | bool | None

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_FORMS: Final = (
    "Write NODE.PARAMETER=LOW..HIGH, NODE.PARAMETER=LOW..HIGH:log where each power of ten is worth "
    "as much, or NODE.PARAMETER=A,B,C for values of a list."
)


@dataclass(frozen=True)
class NumberRange:
    """Numbers from one to another, both among them.

    Attributes:
        low: The least.
        high: The greatest, above ``low``.
        is_whole: Only whole numbers.
        is_log: Equal ratios, not equal differences, are equally likely; ``low`` is above 0.
    """

    low: float
    high: float
    is_whole: bool = False
    is_log: bool = False

    @property
    def ends(self) -> tuple[Choice, ...]:
        """Its least and its greatest value."""
        return (int(self.low), int(self.high)) if self.is_whole else (self.low, self.high)


@dataclass(frozen=True)
class ChoiceList:
    """Values of which one is taken; no order is assumed.

    Attributes:
        ends: All of them.
    """

    ends: tuple[Choice, ...]


@dataclass(frozen=True)
class Varied:
    """A parameter of a node with the values that it may take.

    Attributes:
        node: Id of the node.
        parameter: Name of the parameter.
        space: The values.
    """

    node: str
    parameter: str
    space: NumberRange | ChoiceList

    @property
    def name(self) -> str:
        """As people write it: ``train.learning_rate``."""
        return f"{self.node}.{self.parameter}"

    def change(self, value: Choice) -> str:
        """Return the change that gives it a value, as ``--set`` takes it."""
        return f"{self.name}={value_text(value)}"


def read_varied(
    texts: Sequence[str], pipeline: Pipeline, components: Registry[Component]
) -> tuple[Varied, ...]:
    """Return what is varied, each end of a range and each value of a list checked.

    Args:
        texts: Each ``NODE.PARAMETER=LOW..HIGH``, the same with ``:log``, or a list ``A,B,C``.
        pipeline: Has the nodes.
        components: What is installed.

    Raises:
        ParameterParsingError: A text is not of these forms, there is none, or two name one
            parameter.
        UnknownNameError: There is no such node or parameter.
        ParameterError: A value is out of the parameter's bounds; the message names both numbers.
    """
    varied = tuple(_read(text, pipeline, components) for text in texts)
    twice = [name for name, times in Counter(one.name for one in varied).items() if times > 1]
    if not varied or twice:
        what = f"{twice[0]} is varied twice" if twice else "Nothing is varied"
        raise ParameterParsingError(f"{what}.", hint=_FORMS, details={"parameter": "vary"})
    return varied


def _read(text: str, pipeline: Pipeline, components: Registry[Component]) -> Varied:
    place, equals, values = text.partition("=")
    node_id, dot, name = place.partition(".")
    if not (equals and dot and node_id and name and values):
        raise _wrong(text, "says no parameter or no values")
    component = components.get(pipeline.node(node_id).component)
    known = {one.name: one for one in describe(component.params)}
    name = component.renamed.get(name, name)
    if name not in known:
        raise unknown_name(f"parameter of {node_id!r}", name, tuple(known))
    varied = Varied(node_id, name, _space(text, values, known[name]))
    for value in varied.space.ends:
        _check(text, component, name, value)
    return varied


def _space(text: str, values: str, known: ParameterDescription) -> NumberRange | ChoiceList:
    if known.kind == "list":
        raise _wrong(text, "names a list of texts, of which no search knows what could stand in it")
    if known.kind in ("int", "float") and ".." in values:
        return _range(text, values, is_whole=known.kind == "int")
    listed = [value_from_text(known, one) for one in values.split(",")]
    if len({value_text(one) for one in listed}) < max(2, len(listed)):
        raise _wrong(text, "has only one value, or one twice")
    return ChoiceList(tuple(map(_choice, listed)))


def _range(text: str, values: str, *, is_whole: bool) -> NumberRange:
    ends, colon, how = values.partition(":")
    if colon and how != "log":
        raise _wrong(text, f"ends with ':{how}', but only ':log' can stand there")
    first, _, second = ends.partition("..")
    low, high = (_number(text, one, is_whole=is_whole) for one in (first, second))
    if low >= high:
        raise _wrong(text, f"begins at {low:g}, which is not below its end {high:g}")
    if how and low <= 0:
        raise _wrong(text, f"begins at {low:g}, but a logarithm needs a number above 0")
    return NumberRange(low, high, is_whole=is_whole, is_log=bool(how))


def _number(text: str, part: str, *, is_whole: bool) -> float:
    if is_whole:
        if not _WHOLE.fullmatch(part):
            raise _wrong(text, f"has {part!r} where a whole number belongs")
        return int(part)
    try:
        number = float(part)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(text, f"has {part!r} where a number belongs")
    return number


def _check(text: str, component: Component, name: str, value: Choice) -> None:
    try:
        component.params.parse({name: value})
    except ParameterError as problem:
        raise type(problem)(
            f"--vary {text}: {problem.message}", hint=problem.hint, details=problem.details
        ) from problem


def _choice(value: JsonValue) -> Choice:
    assert value is None or isinstance(value, Choice), "a list was refused"
    return value


def _wrong(text: str, why: str) -> ParameterParsingError:
    return ParameterParsingError(
        f"--vary {text} {why}.", hint=_FORMS, details={"parameter": "vary", "value": text}
    )
