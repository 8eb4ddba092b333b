"""A toy component that does what components must not do, or what tests have to wait for.

This file imports nothing from the tests, so that it can also stand in a folder of extensions.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from imageloom.errors import RunInterruptedError
from imageloom.events import Metric, Notice, Progress
from imageloom.files.publish import publishing_directory
from imageloom.params import Params, parameter
from imageloom.registry import Registry
from imageloom.spec.component import COMPONENTS, Component, Port, Task

DEADLINE_S = 60.0


class OddParams(Params):
    how: str = parameter("well", help="Name of one of the functions below.")
    gate: str = parameter("", help="File in the base folder to wait for, or to write to.")


def publish(task: Task, text: str) -> None:
    with publishing_directory(task.outputs["value"]) as partial:
        (partial / "value.txt").write_text(text, encoding="utf-8")


def well(task: Task) -> None:
    publish(task, "1.0")


def gate(task: Task, *, heeds: bool = True) -> None:
    """Wait until a file is there; publish how often that was begun, which scratch remembers."""
    began = task.scratch / "began"
    began.write_text(began.read_text() + "x" if began.exists() else "x", encoding="utf-8")
    task.on_event(Notice("info", f"waiting for {gate_of(task).name}"))
    deadline = time.monotonic() + DEADLINE_S
    while not gate_of(task).exists():
        assert time.monotonic() < deadline
        if heeds:
            task.cancel.raise_if_set()
        time.sleep(0.005)
    publish(task, str(len(began.read_text(encoding="utf-8"))))


def gate_of(task: Task) -> Path:
    assert isinstance(task.params, OddParams)
    return task.base / task.params.gate


def deaf(task: Task) -> None:
    gate(task, heeds=False)


def warn(task: Task) -> None:
    task.on_event(Progress("Looking", 1, 2, "images"))
    task.on_event(Metric("Valid loss", 0.5, epoch=1.0, step=3))
    task.on_event(Notice("info", "All is well."))
    task.on_event(Notice("warning", "3 pictures were left out."))
    publish(task, "1.0")


def tell_much(task: Task) -> None:
    """Tell 3,000 notices, together more than is read at a time."""
    for number in range(3_000):
        task.on_event(Notice("info", f"{number:06d}" * 100))
    publish(task, "1.0")


def warn_and_fail(task: Task) -> None:
    warn(task)
    raise ZeroDivisionError("after the warning")


def leave(task: Task) -> None:
    sys.exit(3)


def leave_hard(task: Task) -> None:
    os._exit(0)


def crash(task: Task) -> None:
    ctypes.string_at(0)


def killed(task: Task) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hungry(task: Task) -> None:
    raise MemoryError


def nothing(task: Task) -> None:
    """Publish nothing."""


def stopped(task: Task) -> None:
    raise RunInterruptedError("Stopped by nobody.", reason="cancelled")


def chatter(task: Task) -> None:
    """Write bytes that are no text, and a line that does not end."""
    os.write(1, bytes(range(256)) * 4)
    sys.stderr.write("\x1b]0;title\x07 no terminal obeys this")
    print("x" * 1_000_000, end="")  # noqa: T201
    publish(task, "1.0")


def orphan(task: Task) -> None:
    """Leave two processes behind: one without environment, one in a session of its own."""
    command = [sys.executable, "-c", "import time; time.sleep(1000)"]
    first = subprocess.Popen(command, env={})
    second = subprocess.Popen(command, start_new_session=True)
    gate_of(task).write_text(f"{first.pid} {second.pid}", encoding="utf-8")
    os._exit(0)


def thread(task: Task) -> None:
    """Leave a thread behind, for which Python would wait."""
    threading.Thread(target=time.sleep, args=(1000,)).start()
    publish(task, "1.0")


def environment(task: Task) -> None:
    publish(task, json.dumps(dict(os.environ)))


def run_odd(task: Task) -> Mapping[str, str]:
    assert isinstance(task.params, OddParams)
    globals()[task.params.how](task)
    return {"elsewhere": "0" * 64} if task.params.how == "well" and task.params.gate else {}


def odd_components() -> Registry[Component]:
    """Return a fresh registry of the light and the heavy odd toy."""
    registry: Registry[Component] = Registry("component")
    for name, demand in (("odd", "light"), ("heavy_odd", "heavy")):
        component = Component(
            name=name,
            title=name.capitalize(),
            help="Does what its parameter says.",
            category="Training",
            inputs=(Port("after", "Number", "After", "Waits for it.", optional=True),),
            outputs=(Port("value", "Number", "Value", "A number."),),
            params=OddParams,
            run=run_odd,
            demand=demand,  # type: ignore[arg-type]
            has_run_settings=demand == "heavy",
        )
        registry.declare(name, component)
    return registry


def declare() -> None:
    """Make the toys known to a worker process that loads this file as an extension."""
    for component in odd_components():
        COMPONENTS.declare(component.name, component)


if __name__.startswith("imageloom.components."):
    declare()
