"""The reference pages of components and targets, made from their declarations."""

import json
import typing
from collections.abc import Iterable, Iterator
from typing import Final

import imageloom.targets
from imageloom.cli.flags import values_text
from imageloom.components.catalogue import load_components
from imageloom.extensions import declare_all
from imageloom.params import Params, describe
from imageloom.spec.component import Category, Component, Port
from imageloom.spec.port_types import PORT_TYPES
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.target import TARGETS
from imageloom.spec.target_kind import TARGET_KINDS

_START: Final = """\
# Components

A pipeline is made of these. Each node of a pipeline names one of them, gives values to its
parameters, and is joined to other nodes from an output port to an input port of the same type.
`imageloom components NAME` shows the same on the screen. Your own components stand here too when
[extensions](../../guides/extensions.md) are loaded.
"""
_PORT_TYPES_START: Final = """\
## Port types

What flows from one node to the next is a directory. An edge joins two ports of the same type.
"""
_TARGETS_START: Final = """\
## Targets

Where nodes run: the run setting `target` of a node, or `--target` for a training. Your own stand in
[a file](../../guides/targets.md), a table for each, which says its `kind` and any of the options of
that kind.
"""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the file name and the text of every page."""
    components = load_components()
    yield "README.md", _index(components)
    for component in components:
        yield f"{component.name}.md", "\n\n".join(_page(component)) + "\n"


def _index(components: Iterable[Component]) -> str:
    parts = [_START]
    for category in typing.get_args(Category):
        rows = [
            (f"[{one.title}]({one.name}.md)", f"`{one.name}`", _first_sentence(one.help))
            for one in sorted(components, key=lambda one: one.name)
            if one.category == category
        ]
        if rows:
            parts.append(f"## {category}\n\n" + _table(("Component", "Name", "What it does"), rows))
    types = [(f"`{one.name}`", one.title, one.help) for one in PORT_TYPES]
    parts.append(_PORT_TYPES_START + "\n" + _table(("Name", "Title", "What it holds"), types))
    declare_all(imageloom.targets)
    targets = [
        (f"`{one.name}`", one.title, one.help) for one in sorted(TARGETS, key=lambda one: one.name)
    ]
    parts.append(_TARGETS_START + "\n" + _table(("Name", "Title", "What it does"), targets))
    for kind in sorted(TARGET_KINDS, key=lambda one: one.name):
        parts += [f"### Targets of the kind `{kind.name}`\n\n{kind.help}"]
        parts += list(_parameters("", kind.options))
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def _page(component: Component) -> Iterator[str]:
    yield f"# {component.title}"
    yield f"`{component.name}`, version {component.version}, in the group {component.category}."
    yield component.help
    yield from _ports("Inputs", component.inputs)
    yield from _ports("Outputs", component.outputs)
    yield from _parameters("Parameters", component.params)
    if component.has_run_settings:
        yield from _parameters("Run settings", RunSettings)
    if component.errors:
        rows = [
            # A group of errors, such as ParameterError, has no code of its own.
            (vars(one).get("code", ""), f"[{one.__name__}](../errors.md)", _docstring(one))
            for one in component.errors
        ]
        yield "## Errors"
        yield _table(("Code", "Error", "What it means"), rows)


def _ports(heading: str, ports: tuple[Port, ...]) -> Iterator[str]:
    if not ports:
        return
    yield f"## {heading}"
    rows = [(f"`{port.name}`", f"`{port.type}`", _port_help(port)) for port in ports]
    yield _table(("Port", "Type", "What it is"), rows)


def _port_help(port: Port) -> str:
    given_by = f" There when `{port.given_by}` is set." if port.given_by else ""
    return f"{port.help}{' Optional.' if port.optional else ''}{given_by}"


def _parameters(heading: str, params: type[Params]) -> Iterator[str]:
    described = describe(params)
    if not described:
        return
    if heading:
        yield f"## {heading}"
    rows = [
        (
            f"`{one.name}`",
            one.title,
            f"`{json.dumps(one.default)}`",
            _cell(values_text(one)),
            _cell(one.help),
        )
        for one in described
    ]
    yield _table(("Name", "Label", "Default", "Values", "What it does"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _docstring(error: type[Exception]) -> str:
    return _first_sentence((error.__doc__ or "").strip().splitlines()[0])


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".") + "."
