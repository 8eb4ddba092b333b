"""``imageloom components``."""

import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import values_text
from imageloom.cli.screen import line, table
from imageloom.errors import ImageloomError, printable
from imageloom.params import Params, describe, value_text
from imageloom.registry import Registry
from imageloom.spec.component_json import component_to_json
from imageloom.spec.run_settings import RunSettings

if TYPE_CHECKING:
    from imageloom.spec.component import Component, Port


@call_command(
    "components",
    examples=("imageloom components", "imageloom components train_pytorch_model"),
)
@click.argument("name", required=False)
def command(call: Call) -> Outcome:
    """List what pipelines are made of, or explain one component.

    With NAME: its ports and their types, its parameters with ranges and defaults, whether it takes
    run settings, and the errors it raises. Your own components, in the folder that
    IMAGELOOM_EXTENSIONS names, are among them.
    """
    from imageloom.components.catalogue import load_components

    components = load_components()
    if "name" not in call.arguments:
        return Outcome(
            content={"components": [component_to_json(one) for one in components]},
            screen=(_list(components), line("Next", "imageloom components NAME")),
        )
    component = components.get(call.text("name"))
    return Outcome(content=component_to_json(component), screen=tuple(_one(component)))


def first_sentence(text: str) -> str:
    """Return the first sentence of a help text."""
    return text.split(". ")[0].rstrip(".") + "."


def _list(components: "Registry[Component]") -> RenderableType:
    from imageloom.spec.component import Category

    order = typing.get_args(Category)
    rows = [
        [one.category, one.name, first_sentence(one.help)]
        for one in sorted(components, key=lambda one: order.index(one.category))
    ]
    # A category is named once, above its first component.
    firsts = {category: [row[0] for row in rows].index(category) for category, *_ in rows}
    for number, row in enumerate(rows):
        row[0] = row[0] if firsts[row[0]] == number else ""
    return table([("Category", "left"), ("Component", "left"), ("What it does", "left")], rows)


def _one(component: "Component") -> Iterator[RenderableType]:
    version = f", version {component.version}" if component.version > 1 else ""
    yield Text.assemble(
        (printable(component.title), "bold"), f"  {printable(component.name)}{version}"
    )
    yield Padding(Text(printable(component.help)), 0)  # so that it is broken between words
    yield from _ports("Input", component.inputs)
    yield from _ports("Output", component.outputs)
    yield from _parameters("Parameter", component.params)
    if component.has_run_settings:
        yield from _parameters("Run setting", RunSettings)
    if component.errors:
        rows = [[_code(one), one.__name__, _meaning(one)] for one in component.errors]
        yield Text()
        yield table([("Code", "left"), ("Error", "left"), ("When", "left")], rows)


def _code(error: type[ImageloomError]) -> str:
    return error.code if "code" in vars(error) else ""  # a kind of errors has none of its own


def _meaning(error: type[Exception]) -> str:
    return (error.__doc__ or "").strip().splitlines()[0]


def _ports(title: str, ports: "tuple[Port, ...]") -> Iterator[RenderableType]:
    if not ports:
        return
    rows = [[port.name, port.type, _port_help(port)] for port in ports]
    yield Text()
    yield table([(title, "left"), ("Type", "left"), ("What it is", "left")], rows)


def _port_help(port: "Port") -> str:
    if port.optional:
        return f"{port.help} Optional."
    if port.given_by and port.given_by not in port.help:
        return f"{port.help} There when {port.given_by} is set."
    return port.help


def _parameters(title: str, params: type[Params]) -> Iterator[RenderableType]:
    described = describe(params)
    if not described:
        return
    rows = [[one.name, value_text(one.default), values_text(one), one.help] for one in described]
    yield Text()
    yield table(
        [(title, "left"), ("Default", "left"), ("Values", "left"), ("What it does", "left")], rows
    )
