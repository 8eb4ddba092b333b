"""Problems of single nodes: their component and their parameters."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from imageloom.errors import ParameterError, printable, unknown_name
from imageloom.params import Params, describe
from imageloom.pipeline.checks.problems import Problem, ProblemKind
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.graph.resolve import current_params
from imageloom.registry import Registry
from imageloom.spec.component import Component

_TITLE_CHARS: Final = 60


def component_problems(node: Node, components: Registry[Component]) -> Iterator[Problem]:
    """Yield what is wrong with a node's choice of component."""
    if node.component not in components:
        unknown = unknown_name("component", node.component, components.names())
        yield Problem(
            ProblemKind.UNKNOWN_COMPONENT,
            f"Node {node.id!r} is a {node.component!r}, and no such component is installed.",
            hint=f"{unknown.hint} Or install the extension that has it.",
            node=node.id,
        )
        return
    component = components.get(node.component)
    if node.version is not None and node.version > component.version:
        yield Problem(
            ProblemKind.NEWER_COMPONENT,
            f"{named(node, component)} was made with version {node.version} of this component; "
            f"version {component.version} is installed.",
            hint="Update Imageloom or the extension that has it, or add the node anew.",
            node=node.id,
        )


def parameter_problems(node: Node, component: Component) -> Iterator[Problem]:
    """Yield what is wrong with a node's parameters."""
    params = current_params(node, component)
    known = tuple(one.name for one in describe(component.params))
    for name in params:
        if name in component.renamed:
            yield _given_twice(node, component, name, params)
        elif name not in known:
            unknown = unknown_name("parameter", name, known)
            yield value_problem(ProblemKind.UNKNOWN_PARAMETER, node, component, name, unknown)
    values = {name: value for name, value in params.items() if name in known}
    errors = list(value_errors(component.params, values))
    if not errors and (broken := _broken_rule(component, component.params.parse(values))):
        errors = [(str(broken.details.get("parameter", "")), broken)]
    for name, error in errors:
        yield value_problem(ProblemKind.BAD_PARAMETER, node, component, name, error)


def value_errors(
    params: type[Params], values: Mapping[str, object]
) -> Iterator[tuple[str, ParameterError]]:
    """Yield the error of each value that is refused, with its name.

    A rule over several values that are fine by themselves is yielded once, without a name.
    """
    whole = _refusal(params, values)
    if whole is None:
        return
    fine = {name: one for name, one in values.items() if _refusal(params, {name: one}) is None}
    # Beside those that are fine, because a rule over several would find defaults in their place.
    others = {name: _refusal(params, fine | {name: values[name]}) for name in values.keys() - fine}
    refused = [(name, error) for name in values if (error := others.get(name)) is not None]
    yield from refused or [("", whole)]


def value_problem(
    kind: ProblemKind, node: Node, component: Component, name: str, error: ParameterError
) -> Problem:
    """Return the problem that one value of a node is, whose error says it all."""
    return Problem(
        kind,
        f"{named(node, component)}: {error.message}",
        hint=error.hint,
        node=node.id,
        parameter=name,
    )


def named(node: Node, component: Component) -> str:
    """Return how a message calls a node: by its id and by what stands on the canvas."""
    title = printable(" ".join(node.title.split()))[:_TITLE_CHARS]
    return f"Node {node.id!r} ({title or component.title})"


def _refusal(params: type[Params], values: Mapping[str, object]) -> ParameterError | None:
    try:
        params.parse(values)
    except ParameterError as error:
        return error
    return None


def _broken_rule(component: Component, params: Params) -> ParameterError | None:
    try:
        if component.rule is not None:
            component.rule(params)
    except ParameterError as error:
        return error
    return None


def _given_twice(
    node: Node, component: Component, name: str, params: Mapping[str, JsonValue]
) -> Problem:
    today = component.renamed[name]
    return Problem(
        ProblemKind.PARAMETER_GIVEN_TWICE,
        f"{named(node, component)} gives {today!r} as {_short(params[today])} and also as "
        f"{_short(params[name])} under an earlier name, {name!r}.",
        hint="Remove the one that you do not mean.",
        node=node.id,
        parameter=today,
    )


def _short(value: JsonValue) -> str:
    return repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
