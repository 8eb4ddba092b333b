"""Toy components: arithmetic on directories that hold one number as text. No torch, no pictures.

This file imports nothing from the tests, so that it can also stand in a folder of extensions.
"""

from collections.abc import Mapping
from pathlib import Path

from imageloom.errors import InvalidDatasetError
from imageloom.events import Progress
from imageloom.files.publish import publishing_directory
from imageloom.params import Params, parameter
from imageloom.registry import Registry
from imageloom.spec.component import Component, Outside, Port, Task
from imageloom.spec.target import Limits

NUMBER = "Number"
TEXT = "Text"
VALUE_FILE = "value.txt"

LIMITS: Mapping[str, Limits] = {
    "local": Limits(nodes=1, processing_units_per_node=4, heavy_jobs=1, light_jobs=4),
    "lab": Limits(nodes=3, processing_units_per_node=8, heavy_jobs=2, light_jobs=8),
    "desks": Limits(9, 4, heavy_jobs=1, light_jobs=4, interfaces=("eth0",)),
}


def read_value(directory: Path) -> str:
    """Return the text that a toy published."""
    return (directory / VALUE_FILE).read_text(encoding="utf-8")


def write_value(directory: Path, value: object) -> None:
    """Publish a text as toys do."""
    with publishing_directory(directory) as partial:
        (partial / VALUE_FILE).write_text(str(value), encoding="utf-8")


def number_in(task: Task, port: str) -> float:
    return float(read_value(task.inputs[port]))


class NumberParams(Params):
    value: float = parameter(1.0, help="The number.", ge=-1e9, le=1e9)
    # Two names that are also keywords of PipelineBuilder.add.
    title: str = parameter("", help="What the number is called.")
    comment: str = parameter("", help="What there is to say.", affects_output=False)


def run_number(task: Task) -> Mapping[str, str]:
    assert isinstance(task.params, NumberParams)
    write_value(task.outputs["value"], task.params.value)
    return {}


class ReadParams(Params):
    path: str = parameter("", help="A text file with a number, from the base folder.")


def fingerprint_of_file(params: Params, outside: Outside) -> str:
    assert isinstance(params, ReadParams)
    file = outside.base / params.path
    if not file.is_file():
        raise InvalidDatasetError(f"{file} is missing.", hint="Write a number into it.")
    return file.read_text(encoding="utf-8")


def run_read(task: Task) -> Mapping[str, str]:
    assert isinstance(task.params, ReadParams)
    write_value(task.outputs["value"], (task.base / task.params.path).read_text(encoding="utf-8"))
    return {}


class AddParams(Params):
    plus: int = parameter(0, help="Added to the sum.", ge=0, le=100)


def run_add(task: Task) -> Mapping[str, str]:
    assert isinstance(task.params, AddParams)
    right = number_in(task, "right") if "right" in task.inputs else 0.0
    write_value(task.outputs["sum"], number_in(task, "left") + right + task.params.plus)
    return {}


class DivideParams(Params):
    third_share: float | None = parameter(None, help="Share that goes to 'third'.", gt=0, lt=1)
    whole: bool = parameter(True, help="Whether the quotient is a whole number.")


def run_divide(task: Task) -> Mapping[str, str]:
    assert isinstance(task.params, DivideParams)
    number, by = number_in(task, "number"), number_in(task, "by")
    if by == 0:
        raise InvalidDatasetError("A number cannot be divided by 0.", hint="Take another one.")
    whole = task.params.whole
    write_value(task.outputs["quotient"], number // by if whole else number / by)
    write_value(task.outputs["remainder"], number % by if whole else 0.0)
    if task.params.third_share is not None:
        write_value(task.outputs["third"], number * task.params.third_share)
    return {}


def run_spell(task: Task) -> Mapping[str, str]:
    write_value(task.outputs["text"], f"the number {number_in(task, 'number'):g}")
    return {}


def run_shout(task: Task) -> Mapping[str, str]:
    write_value(task.outputs["text"], read_value(task.inputs["text"]).upper())
    return {}


class CountParams(Params):
    steps: int = parameter(3, help="Steps to count.", unit="steps", gt=0, le=1000)
    every: int = parameter(1, help="Steps between events.", gt=0, affects_output=False)


def run_count(task: Task) -> Mapping[str, str]:
    """Count on from the step that an earlier execution reached, as training does."""
    assert isinstance(task.params, CountParams)
    reached = task.scratch / "reached.txt"
    first = int(reached.read_text(encoding="utf-8")) if reached.exists() else 0
    for step in range(first, task.params.steps):
        task.cancel.raise_if_set()
        reached.write_text(str(step + 1), encoding="utf-8")
        if (step + 1) % task.params.every == 0:
            task.on_event(Progress("Counting", step + 1, task.params.steps, "steps"))
    write_value(task.outputs["total"], number_in(task, "start") + task.params.steps)
    return {}


class FailParams(Params):
    message: str = parameter("It failed.", help="What the error says.")


def run_fail(task: Task) -> Mapping[str, str]:
    assert isinstance(task.params, FailParams)
    raise InvalidDatasetError(task.params.message, hint="Remove this node.")


def port(name: str, type: str = NUMBER, *, optional: bool = False, given_by: str = "") -> Port:
    return Port(name, type, name.capitalize(), f"The {name}.", optional=optional, given_by=given_by)


def toy_components() -> Registry[Component]:
    """Return a fresh registry of all toys."""
    toys = (
        Component(
            name="number",
            title="Number",
            help="Gives a number.",
            category="Image data",
            inputs=(),
            outputs=(port("value"),),
            params=NumberParams,
            run=run_number,
        ),
        Component(
            name="read",
            title="Read",
            help="Gives the number in a text file.",
            category="Image data",
            inputs=(),
            outputs=(port("value"),),
            params=ReadParams,
            run=run_read,
            fingerprint=fingerprint_of_file,
        ),
        Component(
            name="add",
            title="Add",
            help="Adds one or two numbers.",
            category="Training",
            inputs=(port("left"), port("right", optional=True)),
            outputs=(port("sum"),),
            params=AddParams,
            run=run_add,
            version=2,
            renamed={"offset": "plus"},
        ),
        Component(
            name="divide",
            title="Divide",
            help="Divides a number by another.",
            category="Training",
            inputs=(port("number"), port("by")),
            outputs=(port("quotient"), port("remainder"), port("third", given_by="third_share")),
            params=DivideParams,
            run=run_divide,
            errors=(InvalidDatasetError,),
        ),
        Component(
            name="spell",
            title="Spell",
            help="Writes a number as text.",
            category="Scoring",
            inputs=(port("number"),),
            outputs=(port("text", TEXT),),
            params=Params,
            run=run_spell,
        ),
        Component(
            name="shout",
            title="Shout",
            help="Writes a text in capitals.",
            category="Scoring",
            inputs=(port("text", TEXT),),
            outputs=(port("text", TEXT),),
            params=Params,
            run=run_shout,
        ),
        Component(
            name="count",
            title="Count",
            help="Counts up in steps, and goes on where it was stopped.",
            category="Training",
            inputs=(port("start"),),
            outputs=(port("total"),),
            params=CountParams,
            run=run_count,
            demand="heavy",
            has_run_settings=True,
        ),
        Component(
            name="fail",
            title="Fail",
            help="Always fails.",
            category="Training",
            inputs=(port("number", optional=True),),
            outputs=(port("value"),),
            params=FailParams,
            run=run_fail,
            errors=(InvalidDatasetError,),
        ),
    )
    registry: Registry[Component] = Registry("component")
    for toy in toys:
        registry.declare(toy.name, toy)
    return registry
