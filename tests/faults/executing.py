"""Kill an executor and its worker at every point in turn; print what is found, and what follows.

Usage: PYTHONPATH=tests python executing.py FOLDER

The worker runs inside the executor here, so that both die at once. A point is any open, rename,
mkdir, remove, listing or fsync; the n-th child is killed at its n-th point. One JSON line per
child: the states that are found then, and those after the run was started again.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run_folder import RunFolder
from imageloom.registry import Registry
from imageloom.spec.job import RESULT_FILE
from imageloom.spec.target import JobStatus, Limits, Work
from imageloom.worker import run_job
from pipeline.engine import ToyEngine, all_toys, pipeline, states, value

EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir"}
NODES = pipeline(
    Node("one", "number", {"value": 3.0}), Node("two", "spell"), edges=("one.value > two.number",)
)


class InlineTarget:
    """Runs a job inside ``start``."""

    name, title, help = "local", "Inline", "Runs jobs in the executor."
    limits = Limits(nodes=1, processing_units_per_node=1, heavy_jobs=1, light_jobs=1)

    def start(self, folder: Path, _work: Work, **_lock: int | None) -> None:
        run_job(folder, all_toys())

    def status(self, _folder: Path) -> JobStatus:
        return JobStatus("ended", reason="killed by signal 9 (SIGKILL)")

    def end_signal(self, _folder: Path) -> int | None:
        return None

    def stop(self, folder: Path, *, at_once: bool) -> None:
        raise AssertionError((folder, at_once))


def kill_at(point: int) -> None:
    """Have this process kill itself at a point."""
    reached = 0
    real_fsync = os.fsync

    def count() -> None:
        nonlocal reached
        reached += 1
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(descriptor: int) -> None:
        count()
        real_fsync(descriptor)

    os.fsync = fsync
    sys.addaudithook(lambda event, _arguments: count() if event in EVENTS else None)


def is_killed(engine: ToyEngine, run: RunFolder, point: int) -> bool:
    """Execute in a child; whether it reached the point."""
    child = os.fork()
    if child == 0:
        kill_at(point)
        engine.execute(run)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def problems(engine: ToyEngine, run: RunFolder, found: Mapping[str, str]) -> list[str]:
    """Return what is not as it should be after a kill, once the truth was found."""
    wrong = []
    for node_id, state in found.items():
        answered = (run.node_folder(node_id) / RESULT_FILE).exists()
        if state not in ("waiting", "completed", "failed"):
            wrong.append(f"{node_id} is {state}")
        if answered and state != "completed":
            wrong.append(f"{node_id} answered, but is {state}")
        for output in run.states()[node_id].outputs.values():
            engine.store.verify(output.object)
    return wrong


def main(folder: Path) -> None:
    point, killed = 0, True
    while killed:
        point += 1
        engine = ToyEngine(folder / str(point))
        engine.targets = Registry("target")
        engine.targets.declare("local", InlineTarget())
        run = engine.new_run(NODES)
        killed = is_killed(engine, run, point)
        find_truth(run, workspace=engine.workspace, targets=engine.targets)
        found = states(run)
        wrong = problems(engine, run, found)
        state = engine.execute(run)
        row = {
            "point": point,
            "found": found,
            "wrong": wrong,
            "state": state,
            "after": states(run),
            "text": value(run, "two", "text"),
            "left": len(list(engine.workspace.trash.glob("*"))),
        }
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
