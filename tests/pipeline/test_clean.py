"""Cleaning removes what nobody needs and nothing else, whoever is at work meanwhile."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.errors import NoSuchRunError, OutputInUseError, StoreCorruptError
from imageloom.files.locks import release, try_lock
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.clean import WORK_KEPT_S, clean, delete_run
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState, RunState

from .made_runs import LONG_AGO, age, make_entry, make_object, make_run, output_of


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def store(workspace):
    return ObjectStore(workspace)


def make_old_object(workspace, text, used=LONG_AGO):
    stored = make_object(workspace, text)
    shutil.rmtree(workspace.work, ignore_errors=True)
    age(workspace.object_record(stored.digest), used)
    return stored


def keep_old(workspace, key, *stored, run_id="none", used=LONG_AGO):
    ObjectStore(workspace).keep(make_entry(key, *stored, run_id=run_id))
    age(workspace.cache_file(key), used)


def test_an_empty_workspace_is_clean(workspace):
    done = clean(workspace, limit_bytes=0)
    assert (done.objects, done.entries, done.work) == ((), (), ())
    assert (done.object_bytes, done.kept_bytes) == (0, 0)


def test_outputs_that_no_run_names_go_with_their_entries(workspace, store):
    named, unnamed = make_old_object(workspace, "petals"), make_old_object(workspace, "leaves")
    make_run(workspace, outputs={"first": output_of(named)})
    keep_old(workspace, "aaa", named)
    keep_old(workspace, "bbb", unnamed)
    keep_old(workspace, "ccc", named, unnamed)
    said = clean(workspace, limit_bytes=None, dry_run=True)
    assert store.is_whole(unnamed.digest)
    assert workspace.cache_file("bbb").exists()
    done = clean(workspace, limit_bytes=None)
    assert done == said
    assert done.objects == (unnamed.digest,)
    assert done.entries == ("bbb", "ccc")
    assert (done.object_bytes, done.kept_bytes) == (unnamed.size_bytes, named.size_bytes)
    assert not store.path(unnamed.digest).exists()
    assert store.cache_entry("aaa") is not None
    assert clean(workspace, limit_bytes=None).objects == ()


def test_above_the_limit_the_least_recently_used_outputs_of_completed_runs_go(workspace, store):
    stored = [make_old_object(workspace, text * 9, LONG_AGO + n) for n, text in enumerate("abcd")]
    make_run(workspace, outputs={f"port{n}": output_of(one) for n, one in enumerate(stored)})
    keep_old(workspace, "aaa", stored[0], used=LONG_AGO + 100)  # used after it was made
    done = clean(workspace, limit_bytes=2 * 27)
    assert set(done.objects) == {stored[1].digest, stored[2].digest}
    assert done.kept_bytes == 2 * 27
    assert store.cache_entry("aaa") is not None


@pytest.mark.parametrize(
    "state", [None, RunState.RUNNING, RunState.FAILED, RunState.CANCELLED, RunState.INTERRUPTED]
)
def test_outputs_of_a_run_that_can_go_on_stay_whatever_the_limit(workspace, store, state):
    stored = make_old_object(workspace, "petals")
    run = make_run(workspace, state=RunState.RUNNING, outputs={"first": output_of(stored)})
    if state not in (None, RunState.RUNNING):
        run.append_run(state)
    assert clean(workspace, limit_bytes=0).objects == ()
    run.append_run(RunState.COMPLETED)
    assert clean(workspace, limit_bytes=0).objects == (stored.digest,)


def test_trained_models_stay_as_long_as_a_run_names_them(workspace):
    stored = make_old_object(workspace, "weights")
    run = make_run(workspace, outputs={"model": output_of(stored, type="ModelDirectory")})
    assert clean(workspace, limit_bytes=0).objects == ()
    delete_run(workspace, run.id)
    assert clean(workspace, limit_bytes=None).objects == (stored.digest,)


def test_a_result_that_a_dead_executor_never_wrote_down_stays(workspace, store):
    run = make_run(workspace, state=RunState.RUNNING)
    stored = make_old_object(workspace, "petals")
    keep_old(workspace, "aaa", stored, run_id=run.id)
    assert clean(workspace, limit_bytes=0).objects == ()
    assert store.cache_entry("aaa") is not None


def test_what_a_living_worker_published_before_its_entry_stays(workspace, store):
    lock = try_lock(workspace.work_lock("aaa"), "worker")
    stored = make_object(workspace, "petals")
    age(workspace.work_lock("aaa"), workspace.object_record(stored.digest).stat().st_mtime)
    assert clean(workspace, limit_bytes=0).objects == ()
    release(lock)
    assert clean(workspace, limit_bytes=0).objects == (stored.digest,)


def test_what_a_living_executor_took_from_the_cache_stays_before_it_says_so(workspace, store):
    stored = make_old_object(workspace, "petals")
    old = make_run(workspace, outputs={"first": output_of(stored)})
    keep_old(workspace, "aaa", stored, run_id=old.id)
    new = make_run(workspace, state=None)
    with new.execution_lock():
        assert store.cache_entry("aaa") is not None  # and its state is not written yet
        delete_run(workspace, old.id)
        assert clean(workspace, limit_bytes=0).objects == ()
    age(workspace.cache_file("aaa"))
    assert clean(workspace, limit_bytes=0).objects == (stored.digest,)


def test_outputs_that_were_used_before_the_oldest_lock_do_not_stay_for_it(workspace):
    stored = make_old_object(workspace, "petals")
    with make_run(workspace, state=None).execution_lock():
        assert clean(workspace, limit_bytes=0).objects == (stored.digest,)


def make_work(workspace, key, age_s=0.0):
    scratch = workspace.work_scratch(key)
    scratch.mkdir(parents=True)
    (scratch / "checkpoint").write_text("epoch 3", encoding="utf-8")
    release(try_lock(workspace.work_lock(key), ""))
    for path in (workspace.work_lock(key), workspace.work_folder(key)):
        age(path, time.time() - age_s)
    return workspace.work_folder(key)


def test_half_made_results_go_after_seven_days_or_when_there_is_a_result(workspace):
    make_work(workspace, "young", WORK_KEPT_S - 60)
    make_work(workspace, "old", WORK_KEPT_S + 60)
    make_work(workspace, "done")
    keep_old(workspace, "done")
    assert clean(workspace, limit_bytes=None, dry_run=True).work == ("done", "old")
    assert clean(workspace, limit_bytes=None).work == ("done", "old")
    assert [folder.name for folder in workspace.work.iterdir()] == ["young"]
    assert list(workspace.trash.iterdir()) == []


def test_half_made_results_stay_while_somebody_is_at_it(workspace):
    folder = make_work(workspace, "old", WORK_KEPT_S + 60)
    lock = try_lock(workspace.work_lock("old"), "worker")
    age(workspace.work_lock("old"))
    age(folder)
    assert clean(workspace, limit_bytes=None).work == ()
    release(lock)
    age(workspace.work_lock("old"))
    assert clean(workspace, limit_bytes=None).work == ("old",)


@pytest.mark.parametrize("state", [NodeState.RUNNING, NodeState.FAILED, NodeState.CANCELLED])
def test_half_made_results_stay_while_a_run_that_can_go_on_wants_them(workspace, state):
    make_work(workspace, "old", WORK_KEPT_S + 60)
    run = make_run(workspace, state=RunState.RUNNING)
    run.append_node("train", NodeFacts(state=state, time=1.0, key="old"))
    run.append_run(RunState.CANCELLED)
    assert clean(workspace, limit_bytes=None).work == ()
    run.append_node("train", NodeFacts(state=NodeState.COMPLETED, time=2.0, key="old"))
    assert clean(workspace, limit_bytes=None).work == ("old",)


def test_what_dead_processes_left_half_written_goes_and_what_living_ones_write_stays(workspace):
    dead = subprocess.Popen(["true"])
    dead.wait()
    run = make_run(workspace)
    stored = make_object(workspace, "petals")
    places = [run.path, workspace.object_record(stored.digest), workspace.cache_file("aaa")]
    gone, kept = [], []
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        for pid, group in ((dead.pid, gone), (1, kept)):
            partial = place.parent / f".{place.name}.{socket.gethostname()}.{pid}.00ff.partial"
            partial.write_text("half", encoding="utf-8")
            group.append(partial)
    (workspace.trash / "thrown" / "away").mkdir(parents=True)
    clean(workspace, limit_bytes=None)
    assert [one.exists() for one in gone] == [False] * 3
    assert [one.exists() for one in kept] == [True] * 3
    assert list(workspace.trash.iterdir()) == []
    assert run.exists()


def test_entries_whose_object_is_gone_are_forgotten(workspace, store):
    stored = make_old_object(workspace, "petals")
    keep_old(workspace, "aaa", stored)
    shutil.rmtree(store.path(stored.digest))
    workspace.object_record(stored.digest).unlink()
    assert clean(workspace, limit_bytes=None).entries == ("aaa",)


@pytest.mark.parametrize("content", ["", "{", "{}"])
def test_entries_that_cannot_be_read_are_forgotten(workspace, content):
    keep_old(workspace, "aaa")
    workspace.cache_file("aaa").write_text(content, encoding="utf-8")
    assert clean(workspace, limit_bytes=None).entries == ("aaa",)
    assert not workspace.cache_file("aaa").exists()


def test_nothing_is_removed_when_the_states_of_a_run_cannot_be_read(workspace, store):
    stored = make_old_object(workspace, "petals")
    make_run(workspace, state=None).states_file.mkdir()
    with pytest.raises(StoreCorruptError, match=r"states\.jsonl cannot be read"):
        clean(workspace, limit_bytes=0)
    store.verify(stored.digest)


def test_what_is_not_ours_is_left_alone(workspace):
    make_object(workspace, "petals")
    keep_old(workspace, "aaa")
    tops = [workspace.objects, workspace.cache]
    mine = [folder / "read me.txt" for top in tops for folder in (top, *top.iterdir())]
    mine += [workspace.work / "notes.json", workspace.runs / "readme", workspace.root / "x"]
    for file in mine:
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine", encoding="utf-8")
    clean(workspace, limit_bytes=0)
    assert [file.read_text(encoding="utf-8") for file in mine] == ["mine"] * len(mine)


def test_a_deleted_run_is_gone_and_its_outputs_stay_until_the_next_clean(workspace, store):
    stored = make_object(workspace, "petals")
    run = make_run(workspace, outputs={"first": output_of(stored)})
    (run.path / "outputs").mkdir()
    (run.path / "outputs" / "first").symlink_to(store.path(stored.digest))
    delete_run(workspace, run.id)
    assert workspace.run_ids() == ()
    assert not run.path.exists()
    store.verify(stored.digest)
    with pytest.raises(NoSuchRunError, match="There is no run"):
        delete_run(workspace, run.id)


def test_a_run_that_is_executed_is_not_deleted(workspace):
    run = make_run(workspace, state=RunState.RUNNING)
    with run.execution_lock(), pytest.raises(OutputInUseError, match="in use by process"):
        delete_run(workspace, run.id)
    assert run.exists()


def test_a_run_whose_worker_lives_on_is_not_deleted(workspace):
    run, waiting = (make_run(workspace, state=RunState.RUNNING) for _ in range(2))
    for one in (run, waiting):
        one.append_node("train", NodeFacts(state=NodeState.RUNNING, time=1.0, key="cafe"))
    lock = try_lock(workspace.work_lock("cafe"), f"node train of run {run.id}")
    with pytest.raises(OutputInUseError, match=f"Node train of run {run.id} is still at work"):
        delete_run(workspace, run.id)
    delete_run(workspace, waiting.id)  # it only waited for the other's result
    release(lock)
    delete_run(workspace, run.id)
    assert workspace.run_ids() == ()


# A random workspace, and a second opinion on what cleaning may remove from it.

STATES = st.sampled_from([*[RunState.COMPLETED] * 8, None, *RunState])
NUMBERS = st.sets(st.integers(0, 5), max_size=3)
RARELY = st.sampled_from([False] * 7 + [True])


@dataclass(frozen=True)
class MadeRun:
    state: RunState | None
    outputs: frozenset[int]
    models: frozenset[int]
    executing: bool


RUNS = st.lists(
    st.builds(MadeRun, STATES, NUMBERS.map(frozenset), NUMBERS.map(frozenset), RARELY),
    max_size=4,
)
ENTRIES = st.lists(st.tuples(NUMBERS, st.integers(-1, 3), RARELY), max_size=4)


def second_opinion(objects, runs, entries, limit_bytes):
    """Mark and sweep, as naively as it can be written. Objects and entries by their numbers."""
    needed, named = set(), set()
    for run in runs:
        named |= run.outputs | run.models
        needed |= run.models
        if run.state is not RunState.COMPLETED:
            needed |= run.outputs
    used = dict.fromkeys(objects, 0.0)
    for number, (outputs, maker, just_used) in enumerate(entries):
        for one in outputs & objects.keys():
            used[one] = max(used[one], 1000.0 if just_used else number + 1.0)
        if maker in range(len(runs)) and runs[maker].state is not RunState.COMPLETED:
            needed |= outputs
        if just_used and any(run.executing for run in runs):
            needed |= outputs
    removed = {one for one in objects if one not in named | needed}
    while limit_bytes is not None:
        left = [one for one in objects if one not in removed]
        free = [one for one in left if one not in needed]
        if not free or sum(objects[one].size_bytes for one in left) <= limit_bytes:
            break
        removed.add(min(free, key=lambda one: (used[one], objects[one].digest)))
    return removed


def make_random_runs(workspace, runs, stored):
    """Make the runs; return the locks of those that are being executed."""
    locks = []
    for number, run in enumerate(runs):
        outputs = {f"o{n}": output_of(stored[n]) for n in run.outputs}
        outputs |= {f"m{n}": output_of(stored[n], type="ModelDirectory") for n in run.models}
        folder = make_run(workspace, f"run{number}", state=None)
        folder.append_node("split", NodeFacts(state=NodeState.COMPLETED, time=1.0, outputs=outputs))
        if run.state is not None:
            folder.append_run(run.state)
        if run.executing:
            locks.append(try_lock(folder.lock_file, ""))
    return locks


def make_random_entries(workspace, entries, stored, *, executing):
    for number, (outputs, maker, just_used) in enumerate(entries):
        used = LONG_AGO + number + 1
        if just_used:
            used = time.time() + 1 if executing else LONG_AGO + 1000
        named = [stored[one] for one in sorted(outputs)]
        keep_old(workspace, f"key{number}", *named, run_id=f"run{maker}", used=used)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    missing=st.sets(st.integers(0, 5), max_size=2),
    runs=RUNS,
    entries=ENTRIES,
    limit_bytes=st.none() | st.integers(0, 70),
)
def test_cleaning_removes_what_a_naive_mark_and_sweep_removes(missing, runs, entries, limit_bytes):
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        store = ObjectStore(workspace)
        stored = {number: make_old_object(workspace, "x" * (number + 1)) for number in range(6)}
        for number in missing:
            store.remove(stored[number].digest)
        present = stored.keys() - missing
        objects = {number: stored[number] for number in present}
        locks = make_random_runs(workspace, runs, stored)
        make_random_entries(workspace, entries, stored, executing=bool(locks))
        removed = second_opinion(objects, runs, entries, limit_bytes)
        done = clean(workspace, limit_bytes=limit_bytes)
        for lock in locks:
            release(lock)
        assert set(done.objects) == {stored[number].digest for number in removed}
        there = {path.name for path in workspace.objects.glob("*/*") if path.is_dir()}
        assert there == {stored[number].digest for number in present - removed}
        for number, (outputs, _, _) in enumerate(entries):
            is_whole = outputs <= present - removed
            assert (store.cache_entry(f"key{number}") is not None) == is_whole


WORK_AND_NAME = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.pipeline.made_runs import make_entry, make_folder, make_run, output_of
from imageloom.files.locks import release, try_lock
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState, RunState
workspace = Workspace(Path(sys.argv[1]))
store = ObjectStore(workspace)
for number in range(12):
    run = make_run(workspace, f"{sys.argv[2]}-{number}", state=None)
    with run.execution_lock():
        run.append_run(RunState.RUNNING)
        for key in ("shared", f"own{sys.argv[2]}"):
            entry = store.cache_entry(key)
            if entry is None:
                while (lock := try_lock(workspace.work_lock(key), "worker")) is None:
                    pass
                stored = store.publish(make_folder(workspace, key, key=f"{key}{sys.argv[2]}"))
                entry = make_entry(key, stored, run_id=run.id)
                store.keep(entry)
                release(lock)
            facts = NodeFacts(state=NodeState.COMPLETED, time=1.0, key=key, outputs=entry.outputs)
            run.append_node(key, facts)
        for digest in run.needs():
            store.verify(digest)
        run.append_run(RunState.COMPLETED)
"""


@pytest.mark.slow
@pytest.mark.processes
def test_runs_keep_what_they_named_while_others_clean_at_the_same_time(workspace, repository):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK_AND_NAME, str(workspace.root), f"p{n}", str(repository)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    removed = 0
    while any(process.poll() is None for process in processes):
        removed += len(clean(workspace, limit_bytes=0).objects)
    problems = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, "\n".join(problems)
    removed += len(clean(workspace, limit_bytes=0).objects)
    assert removed > 0
    assert list(workspace.objects.glob("*/*")) == []
