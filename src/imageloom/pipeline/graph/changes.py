"""Changes to a pipeline as people write them on a command line: ``train.epochs=10``."""

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from imageloom.errors import ParameterParsingError, unknown_name
from imageloom.params import ParameterDescription, describe
from imageloom.pipeline.graph.graph import Node, Pipeline
from imageloom.pipeline.graph.resolve import current_params
from imageloom.registry import Registry
from imageloom.spec.component import Component
from imageloom.spec.run_settings import RunSettings

NOTHING: Final = ("none", "null")  # how a person writes None, on the screen and in the file
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}")


def apply_changes(
    pipeline: Pipeline, changes: Sequence[str], components: Registry[Component]
) -> Pipeline:
    """Return a pipeline with other values for parameters and run settings.

    Text that is no value of the parameter's kind stays text, and ``check`` says what is wrong
    with it. Of two changes of one value the later holds.

    Args:
        pipeline: Stays as it is.
        changes: Each ``NODE.NAME=VALUE``. A name is a parameter of the node's component, or else
            a run setting: ``target``, ``node_count``, ``processes_per_node``.
        components: What is installed.

    Raises:
        ParameterParsingError: A change is not of this form.
        UnknownNameError: There is no such node, parameter or run setting, or the node's component
            is not installed.
    """
    changed: dict[str, Node] = {}
    for change in changes:
        node_id, name, text = _parts(change)
        node = changed.get(node_id) or pipeline.node(node_id)
        changed[node_id] = _changed(node, components.get(node.component), name, text)
    nodes = tuple(changed.get(node.id, node) for node in pipeline.nodes)
    return dataclasses.replace(pipeline, nodes=nodes)


def value_from_text(description: ParameterDescription, text: str) -> JsonValue:
    """Return the value that a person means by a text, or the text where it is none."""
    if description.optional and text in NOTHING:
        return None
    if description.kind == "bool" and text in ("true", "false"):
        return text == "true"
    if description.kind == "int" and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if description.kind == "float":
        try:
            number = float(text)
        except ValueError:
            return text
        return number if math.isfinite(number) else text
    return text


def _parts(change: str) -> tuple[str, str, str]:
    place, equals, text = change.partition("=")
    node_id, dot, name = place.partition(".")
    if not (equals and dot and node_id and name):
        raise ParameterParsingError(
            f"{change!r} is no change of a pipeline.",
            hint="Write NODE.PARAMETER=VALUE, as in train.epochs=10.",
        )
    return node_id, name, text


def _changed(node: Node, component: Component, name: str, text: str) -> Node:
    params = {one.name: one for one in describe(component.params)}
    settings = {one.name: one for one in describe(RunSettings)}
    today = component.renamed.get(name, name)
    if today in params:
        given = current_params(node, component)
        return dataclasses.replace(
            node, params={**given, today: value_from_text(params[today], text)}
        )
    if name in settings:
        value = value_from_text(settings[name], text)
        return dataclasses.replace(node, settings={**node.settings, name: value})
    raise unknown_name(f"parameter of {node.id!r}", name, (*params, *settings))
