"""A toy for kill_pipeline.py: it takes a while, and goes on where it was killed.

It is an extension: ``IMAGELOOM_EXTENSIONS=benchmarks/toys``.
"""

import fcntl
import hashlib
import time
from collections.abc import Mapping

from imageloom.errors import CannotResumeError
from imageloom.events import Metric, Progress
from imageloom.files.publish import publishing_directory, writing_file
from imageloom.params import Params, parameter
from imageloom.spec.component import COMPONENTS, Component, Port, Task


class StepsParams(Params):
    """Parameters of the toy."""

    steps: int = parameter(20, help="Steps to do.", unit="steps", gt=0)
    salt: int = parameter(0, help="Another number gives another result.")


def one_step(value: str) -> str:
    """Return what one step makes of a value."""
    return hashlib.sha256(value.encode("ascii")).hexdigest()


def run(task: Task) -> Mapping[str, str]:
    """Hash the inputs again and again, and keep each step in scratch."""
    assert isinstance(task.params, StepsParams)
    with (task.scratch / "alone").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise CannotResumeError("Two workers make the same result.") from problem
        value = _do_steps(task, task.params)
    with publishing_directory(task.outputs["value"]) as partial:
        (partial / "value.txt").write_text(value, encoding="ascii")
        (partial / "filling").write_bytes(value.encode("ascii") * 20_000)
    return {}


def _do_steps(task: Task, params: StepsParams) -> str:
    given = [(place / "value.txt").read_text("ascii") for _, place in sorted(task.inputs.items())]
    done, value = 0, " ".join([*given, str(params.salt)])
    reached = task.scratch / "reached.txt"
    if reached.exists():
        text, value = reached.read_text("ascii").split("\n")
        done = int(text)
    while done < params.steps:
        task.cancel.raise_if_set()
        time.sleep(0.02)
        done, value = done + 1, one_step(value)
        with writing_file(reached) as partial:
            partial.write_text(f"{done}\n{value}", encoding="ascii")
        task.on_event(Progress("Hashing", done, params.steps, "steps"))
        task.on_event(Metric("Steps", done, epoch=0.0, step=done))
    return value


def _port(name: str, *, optional: bool = False) -> Port:
    return Port(name, "Value", name.capitalize(), "A hash.", optional=optional)


for name, demand in (("steps", "light"), ("heavy_steps", "heavy")):
    COMPONENTS.declare(
        name,
        Component(
            name=name,
            title=name.replace("_", " ").capitalize(),
            help="Hashes its inputs in steps.",
            category="Training",
            inputs=(_port("left", optional=True), _port("right", optional=True)),
            outputs=(_port("value"),),
            params=StepsParams,
            run=run,
            demand=demand,  # type: ignore[arg-type]
            errors=(CannotResumeError,),
        ),
    )
