"""Small workspaces: runs, outputs and cache entries without any component."""

import os
from pathlib import Path

from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.pipeline.store.objects import ObjectStore, StoredObject
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import CacheEntry, Output
from imageloom.spec.node_state import NodeState, RunState

LONG_AGO = 1_000_000_000.0
RUN_IDS = [f"20260101-00000{number}-0000" for number in range(5)]


def ids_of(index, **named) -> list[str]:
    """Return the ids of the runs that an index lists, in its order."""
    return [one.id for one in index.list(**named)]


def make_record(run_id: str, *, name: str = "flowers", nodes=("split", "train")) -> RunRecord:
    resolved = {one: ResolvedRecord(component="toy", version=1, params={"x": 1}) for one in nodes}
    return RunRecord(
        id=run_id,
        name=name,
        pipeline={"format_version": 2, "name": name},
        base="/pictures",
        resolved=resolved,
        wanted=tuple(nodes),
        created=1_800_000_000.5,
    )


def make_run(
    workspace: Workspace,
    run_id: str = "",
    *,
    state: RunState | None = RunState.COMPLETED,
    name: str = "flowers",
    outputs: dict[str, Output] | None = None,
) -> RunFolder:
    """Make a run whose node ``split`` has these outputs; without ``state`` it never began."""
    run = workspace.run(run_id or workspace.new_run_id())
    run.create(make_record(run.id, name=name))
    if state is None:
        return run
    run.append_run(RunState.RUNNING)
    if outputs:
        facts = NodeFacts(state=NodeState.COMPLETED, time=1.0, key="cafe", outputs=outputs)
        run.append_node("split", facts)
    if state is not RunState.RUNNING:
        run.append_run(state)
    return run


def make_folder(workspace: Workspace, text: str, *, key: str = "cafe") -> Path:
    """Make what a component would publish: a file and one in a sub-folder."""
    folder = workspace.work_outputs(key) / f"{len(text)}-{text[:20]}"
    (folder / "images" / "empty").mkdir(parents=True)
    (folder / "a.txt").write_text(text, encoding="utf-8")
    (folder / "images" / "b.txt").write_text(text * 2, encoding="utf-8")
    return folder


def make_object(workspace: Workspace, text: str) -> StoredObject:
    return ObjectStore(workspace).publish(make_folder(workspace, text))


def output_of(stored: StoredObject, *, type: str = "ImageDirectory") -> Output:
    return Output(
        type=type, object=stored.digest, digest=stored.digest, size_bytes=stored.size_bytes
    )


def make_entry(key: str, *stored: StoredObject, run_id: str = "none") -> CacheEntry:
    outputs = {f"port{number}": output_of(one) for number, one in enumerate(stored)}
    return CacheEntry(key=key, component="toy", run_id=run_id, node_id="split", outputs=outputs)


def age(path: Path, time: float = LONG_AGO) -> None:
    """Make a file look as if it was last changed at some time."""
    os.utime(path, (time, time))


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return every file of a folder with its bytes, and every folder with None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
