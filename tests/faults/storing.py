"""Change a workspace in a child process that is killed at every point in turn; print what is left.

Usage: python storing.py SCENARIO FOLDER

SCENARIO is ``publish`` (two outputs and their cache entry), ``replace`` (the same over damaged
ones), ``create`` (a run), ``append`` (a state), ``clean`` or ``delete`` (a run). The points are
those of ``publishing.py``; one JSON line per child. After each kill, the parent looks at the
workspace, does the same again and cleans up, as the next start of Imageloom would.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from publishing import call_at_each_point

from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.pipeline.store.clean import clean, delete_run
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import CacheEntry, Output
from imageloom.spec.node_state import NodeState, RunState

KEY, RUN, OLD_RUN = "c0ffee", "20260101-000000-0000", "20250101-000000-0000"
TEXTS = {"first": "one" * 1000, "second": "two" * 1000}


def publish(workspace: Workspace) -> None:
    """Do what a worker does at the end of its work."""
    store, outputs = ObjectStore(workspace), {}
    for port, text in TEXTS.items():
        folder = workspace.work_outputs(KEY) / port
        if folder.exists():
            shutil.rmtree(folder)
        (folder / "images").mkdir(parents=True)
        for name in ("a.txt", "images/b.txt"):
            (folder / name).write_text(text, encoding="ascii")
        stored = store.publish(folder)
        outputs[port] = Output(
            type="ImageDirectory", object=stored.digest, digest="d", size_bytes=stored.size_bytes
        )
    store.keep(CacheEntry(key=KEY, component="toy", run_id=RUN, node_id="n", outputs=outputs))


def create(workspace: Workspace) -> None:
    if not workspace.run(RUN).exists():
        workspace.run(RUN).create(
            RunRecord(
                id=RUN, name="flowers", pipeline={}, base="/", resolved={}, wanted=(), created=1.0
            )
        )


def append(workspace: Workspace) -> None:
    run = workspace.run(RUN)
    with run.execution_lock():
        run.append_node("n", NodeFacts(state=NodeState.FAILED, time=2.0, message="why " * 100))
        run.append_run(RunState.FAILED)


def prepare(scenario: str, workspace: Workspace) -> None:
    if scenario in ("replace", "clean"):
        publish(workspace)
    if scenario == "replace":
        for file in workspace.objects.glob("*/*/a.txt"):
            file.write_text("damaged", encoding="ascii")
    if scenario in ("append", "delete"):
        create(workspace)
        workspace.run(RUN).append_run(RunState.RUNNING)


def act(scenario: str, workspace: Workspace) -> None:
    if scenario in ("publish", "replace"):
        publish(workspace)
    elif scenario == "create":
        create(workspace)
    elif scenario == "append":
        append(workspace)
    elif scenario == "clean":
        for file in [*workspace.cache.glob("*/*"), *workspace.objects.glob("*/*.json")]:
            os.utime(file, (1e9, 1e9))  # what was used in this very moment would stay
        clean(workspace, limit_bytes=0)
    elif workspace.run(RUN).exists():
        delete_run(workspace, RUN)


def seen(workspace: Workspace) -> dict[str, object]:
    """Return what a reader sees; nothing of it may be half of something."""
    store = ObjectStore(workspace)
    listed = sorted(folder.name for folder in workspace.objects.glob("*/*") if folder.is_dir())
    entry = store.cache_entry(KEY)
    for output in entry.outputs.values() if entry else ():
        store.verify(output.object)
    for digest in listed if entry is None else ():
        if store.path(digest).exists() and store.is_whole(digest):
            store.verify(digest)
    runs = {run_id: workspace.run(run_id) for run_id in workspace.run_ids()}
    return {
        "entry": None if entry is None else sorted(entry.outputs),
        "runs": {run_id: run.record().name for run_id, run in runs.items()},
        "states": {run_id: run.state().value for run_id, run in runs.items()},
    }


def left(workspace: Workspace) -> list[str]:
    """Return what no reader sees but takes space."""
    store = ObjectStore(workspace)
    found = [
        path.relative_to(workspace.root).as_posix()
        for path in workspace.root.rglob("*")
        if path.name.endswith(".partial") or path.parent == workspace.trash
    ]
    for path in workspace.objects.glob("*/*"):
        if not store.is_whole(path.name.removesuffix(".json")):
            found.append(path.relative_to(workspace.root).as_posix())
    return found


def killed_at(point: int, scenario: str, workspace: Workspace) -> int:
    """Act in a child that is killed at its n-th point; return how many points it reached."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        reached = 0

        def strike() -> None:
            nonlocal reached
            reached += 1
            os.write(writer, b".")
            if reached == point:
                os.kill(os.getpid(), signal.SIGKILL)

        call_at_each_point(strike)
        act(scenario, workspace)
        os._exit(0)
    os.close(writer)
    os.wait()
    reached = len(os.read(reader, 100_000))
    os.close(reader)
    return reached


def main(scenario: str, folder: Path) -> None:
    point, reached = 0, 0
    while reached >= point:  # a point that is not reached is one too many
        point += 1
        workspace = Workspace(folder / str(point))
        prepare(scenario, workspace)
        reached = killed_at(point, scenario, workspace)
        row = {"point": point, "seen": seen(workspace)}
        act(scenario, workspace)
        row["seen_after"] = seen(workspace)
        clean(workspace, limit_bytes=None)
        row["left_after"] = left(workspace)
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
