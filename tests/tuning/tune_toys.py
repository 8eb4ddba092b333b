"""A toy that tells a metric per epoch, with an optimum that is planted. No torch.

This file imports nothing from the tests, so that it can also stand in a folder of extensions.
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from imageloom.errors import InvalidDatasetError, NaNError
from imageloom.events import Metric, Notice
from imageloom.files.publish import publishing_directory
from imageloom.params import Params, parameter
from imageloom.spec.component import COMPONENTS, Component, Port, Task

DEADLINE_S = 60.0
BEST_RATE, BEST_WIDTH = 3e-3, 48


class HillParams(Params):
    rate: float = parameter(0.1, help="Best at 0.003.", gt=0, le=2)
    width: int = parameter(8, help="Best at 48.", ge=1, le=100)
    shape: Literal["round", "square"] = parameter("round", help="Square costs 1.")
    epochs: int = parameter(1, help="How often the loss is told.", gt=0)
    gate: str = parameter("", help="File in the base folder to wait for in the last epoch.")
    trouble: str = parameter("", help="Fails with this error.")
    extra: tuple[str, ...] = parameter((), help="A list of texts.")


def loss_of(params: HillParams) -> float:
    """Return 0 at the planted optimum, and more the farther away."""
    rate = math.log10(params.rate / BEST_RATE)
    width = (params.width - BEST_WIDTH) / 50
    return rate**2 + width**2 + (params.shape == "square")


def run_hill(task: Task) -> Mapping[str, str]:
    """Tell a loss that falls to that of the parameters, and go on where it was stopped."""
    params = task.params
    assert isinstance(params, HillParams)
    if params.trouble == "nan" and params.rate > 0.1:
        raise NaNError("The loss is not a number.", hint="Lower the rate.")
    if params.trouble == "data":
        raise InvalidDatasetError("There is nothing to climb.", hint="Add a hill.")
    reached = task.scratch / "reached"
    first = int(reached.read_text()) if reached.exists() else 0
    for epoch in range(first + 1, params.epochs + 1):
        task.cancel.raise_if_set()
        if epoch == params.epochs and params.gate:
            _wait_for(task, task.base / params.gate)
        loss = loss_of(params) + params.epochs - epoch
        task.on_event(Metric("Valid loss", loss, epoch=float(epoch), step=epoch))
        reached.write_text(str(epoch))
    with publishing_directory(task.outputs["value"]) as partial:
        (partial / "value.txt").write_text(f"began at epoch {first}", encoding="utf-8")
    return {}


def _wait_for(task: Task, gate: Path) -> None:
    task.on_event(Notice("info", f"waiting for {gate.name}"))
    with (gate.parent / "arrived").open("a") as file:
        file.write("x")
    deadline = time.monotonic() + DEADLINE_S
    while not gate.exists():
        assert time.monotonic() < deadline
        task.cancel.raise_if_set()
        time.sleep(0.005)


HILL = Component(
    name="hill",
    title="Hill",
    help="Tells how far its parameters are from the best.",
    category="Training",
    inputs=(Port("after", "Number", "After", "Waits for it.", optional=True),),
    outputs=(Port("value", "Number", "Value", "A number."),),
    params=HillParams,
    run=run_hill,
    errors=(InvalidDatasetError,),
    renamed={"speed": "rate"},
)


if __name__.startswith("imageloom.components."):
    COMPONENTS.declare(HILL.name, HILL)
