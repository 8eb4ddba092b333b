"""Remove what no run needs any more: leftovers of dead processes, and outputs nobody names.

Why nothing is removed that is about to be named: whoever names an object in the states of a run
holds that run's execution lock, and whoever publishes one holds the lock of its work; both touch
what they use, while they hold the store's lock. So with T the time at which the oldest lock that is
held now was taken, whatever was used since T stays, and nobody can come to name anything else.
"""

import contextlib
import re
import socket
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from imageloom.errors import OutputInUseError
from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.files.publish import remove_stale_partials
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.store.objects import ObjectStore, read_entry
from imageloom.pipeline.store.recycle_bin import binned_runs
from imageloom.pipeline.workspace import Workspace, is_digest
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.port_types import MODEL_DIRECTORY

WORK_KEPT_S: Final = 7 * 24 * 3600.0


@dataclass(frozen=True)
class CleanResult:
    """What was removed, or would be.

    Attributes:
        objects: Digests of the removed outputs.
        object_bytes: Bytes of those.
        kept_bytes: Bytes of the outputs that stay.
        entries: Keys whose results will be made anew when they are asked for.
        work: Keys whose half-made results were given up.
    """

    objects: tuple[str, ...]
    object_bytes: int
    kept_bytes: int
    entries: tuple[str, ...]
    work: tuple[str, ...]


@dataclass(frozen=True)
class _Marks:
    """What the runs say.

    Attributes:
        since: What was used at or after this time stays.
        named: Objects that some run names.
        needed: Those of them that must stay whatever the limit.
        unfinished: Ids of the runs that can go on.
        wanted: Keys of nodes of such runs that have no outputs yet.
    """

    since: float
    named: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)


@dataclass
class _Object:
    size_bytes: int
    used: float
    claimed: bool = False


def clean(workspace: Workspace, *, limit_bytes: int | None, dry_run: bool = False) -> CleanResult:
    """Remove what no run needs.

    Half-made results stay while anybody works at them, while a run that can go on wants them, and
    else for seven days or until there is a result. Outputs go when no run names them. Above the
    limit, outputs of completed runs go too, least recently used first, but never trained models.

    Args:
        workspace: What to clean.
        limit_bytes: Bytes of outputs above which also named ones go; None for no limit.
        dry_run: Only say what would be removed.

    Raises:
        StoreCorruptError: What some run needs cannot be read; nothing was removed.
    """
    store = ObjectStore(workspace)
    marks = _mark(workspace)
    work = tuple(_give_up_work(workspace, marks.wanted, dry_run=dry_run))
    with store.lock():
        entries, objects = _survey(store, marks)
        removed = set(_choose(objects, marks, limit_bytes))
        dead = [key for key, digests in entries.items() if not digests <= objects.keys() - removed]
        if not dry_run:
            for key in dead:  # before the objects: no entry may name what is not there
                store.forget(key)
            for digest in removed:
                store.remove(digest)
    if not dry_run:
        _remove_partials(workspace)
        workspace.empty_trash()
    freed = sum(objects[digest].size_bytes for digest in removed)
    total = sum(one.size_bytes for one in objects.values())
    return CleanResult(
        tuple(sorted(removed)), freed, total - freed, tuple(sorted(dead)), tuple(sorted(work))
    )


def delete_run(workspace: Workspace, run_id: str) -> None:
    """Delete the folder of a run; its outputs go with the next ``clean`` unless others need them.

    Raises:
        NoSuchRunError: There is no such run.
        OutputInUseError: It is being executed, or a worker of it is still at work.
    """
    with run_at_rest(workspace, run_id) as run:
        workspace.throw_away(run.path)
    workspace.empty_trash()


@contextlib.contextmanager
def run_at_rest(workspace: Workspace, run_id: str) -> Iterator[RunFolder]:
    """Yield a run that nothing works at, nor can begin to.

    Raises:
        NoSuchRunError: There is no such run.
        OutputInUseError: It is being executed, or a worker of it is still at work.
    """
    run = workspace.run(run_id)
    with run.execution_lock():
        for node_id, facts in run.states().items():
            if facts.state is NodeState.RUNNING and facts.key:
                who = holder(workspace.work_lock(facts.key))
                if run_id in who:
                    raise OutputInUseError(
                        f"Node {node_id} of run {run_id} is still at work.",
                        hint=f"Stop it first with 'imageloom runs cancel {run_id}'.",
                        reason="running",
                    )
        yield run


def _mark(workspace: Workspace) -> _Marks:
    # First the time, then the states: what is named after they were read was used since.
    marks = _Marks(_oldest_lock(workspace))
    runs = (*map(workspace.run, workspace.run_ids()), *binned_runs(workspace))
    for run in runs:
        history = run.history()
        unfinished = history.recorded is not RunState.COMPLETED
        if unfinished:
            marks.unfinished.add(run.id)
        for facts in history.nodes.values():
            if unfinished and not facts.state.has_outputs:
                marks.wanted.add(facts.key)
            for output in facts.outputs.values():
                marks.named.add(output.object)
                if unfinished or output.type == MODEL_DIRECTORY:
                    marks.needed.add(output.object)
    return marks


def _oldest_lock(workspace: Workspace) -> float:
    with ObjectStore(workspace).lock():  # the time by the clock that also stamps the files
        taken = [workspace.store_lock.stat().st_mtime]
    locks = [workspace.run(run_id).lock_file for run_id in workspace.run_ids()]
    locks += [folder / "lock" for folder in _inside(workspace.work, "*/")]
    for lock in locks:
        with contextlib.suppress(FileNotFoundError):
            if is_locked(lock):
                taken.append(lock.stat().st_mtime)
    return min(taken)


def _survey(store: ObjectStore, marks: _Marks) -> tuple[dict[str, Set[str]], dict[str, _Object]]:
    """Return the objects that each cache entry names, and what is known of each object."""
    objects = {}
    for place in _inside(store.workspace.objects, "*/*"):  # a folder, then its record
        digest = place.name.removesuffix(".json")
        objects[digest] = _Object(store.size_bytes(digest), _time_of(place))
    entries: dict[str, Set[str]] = {}
    for file in _inside(store.workspace.cache, "*/*.json"):
        entry = read_entry(file)
        if entry is None:
            entries[file.stem] = {"unreadable"}  # no object is called so: it will be forgotten
            continue
        entries[file.stem] = {output.object for output in entry.outputs.values()}
        claimed = entry.run_id in marks.unfinished or entry.key in marks.wanted
        for digest in entries[file.stem] & objects.keys():
            one = objects[digest]
            one.used = max(one.used, _time_of(file))
            one.claimed = one.claimed or claimed
    return entries, objects


def _choose(objects: dict[str, _Object], marks: _Marks, limit_bytes: int | None) -> Iterator[str]:
    """Yield the digests of the objects to remove."""
    total = sum(one.size_bytes for one in objects.values())
    free = {
        digest: one
        for digest, one in objects.items()
        if digest not in marks.needed and not one.claimed and one.used < marks.since
    }
    # First all that nobody names, then what was used longest ago, until the rest fits.
    for digest in sorted(free, key=lambda one: (one in marks.named, free[one].used, one)):
        is_over = limit_bytes is not None and total > limit_bytes
        if digest not in marks.named or is_over:
            total -= free[digest].size_bytes
            yield digest


def _give_up_work(workspace: Workspace, wanted: Set[str], *, dry_run: bool) -> Iterator[str]:
    """Remove half-made results that nobody works at or will go on with; yield their keys."""
    for folder in _inside(workspace.work, "*/"):
        lock = folder / "lock"
        old = time.time() - max(_time_of(folder), _time_of(lock)) > WORK_KEPT_S
        done = workspace.cache_file(folder.name).exists()
        if folder.name in wanted or not (old or done) or is_locked(lock):
            continue
        if not dry_run:
            descriptor = try_lock(lock, "clean")
            if descriptor is None:
                continue
            workspace.throw_away(folder)
            release(descriptor)
        yield folder.name


def _remove_partials(workspace: Workspace) -> None:
    """Remove what killed processes of this machine left half written."""
    ending = re.compile(rf"\.(.+)\.{re.escape(socket.gethostname())}\.\d+\.[0-9a-f]+\.partial")
    for top, pattern in (
        (workspace.runs, ".*.partial"),
        (workspace.objects, "*/.*.partial"),
        (workspace.cache, "*/.*.partial"),
    ):
        for partial in top.glob(pattern):
            if match := ending.fullmatch(partial.name):
                remove_stale_partials(partial.with_name(match[1]))


def _inside(folder: Path, pattern: str) -> list[Path]:
    """Return what lies there under the name of a digest; the rest is not ours."""
    found = folder.glob(pattern)
    return sorted(path for path in found if is_digest(path.name.removesuffix(".json")))


def _time_of(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0
