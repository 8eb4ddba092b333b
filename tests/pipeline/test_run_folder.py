"""The files of a run say the truth whatever happened to the processes that wrote them.

Holds J01, J06.
"""

import shutil
import time
from pathlib import Path

import pytest

from imageloom.errors import (
    FailedToWriteOutputsError,
    NoSuchRunError,
    OutputInUseError,
    StoreCorruptError,
)
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState

from .made_runs import make_record, make_run

OUTPUT = Output(type="ImageDirectory", object="ab" * 32, digest="cd" * 32, size_bytes=7)
DONE = NodeFacts(
    state=NodeState.COMPLETED,
    time=2.5,
    started=1.5,
    ended=2.5,
    key="cafe",
    outputs={"first": OUTPUT},
    warnings=("2 pictures are damaged.",),
    made_by=("20260101-000000-0000", "split"),
    seconds=1.0,
)
FAILED = NodeFacts(state=NodeState.FAILED, time=3.0, error={"code": "0138", "details": {"n": [1]}})


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def run(workspace):
    return make_run(workspace, "20260101-000000-0000", state=None)


def test_a_record_comes_back_equal(workspace, run):
    assert run.record() == make_record(run.id)
    assert run.exists()
    assert not workspace.run("20260101-000000-0001").exists()


def test_a_run_is_never_made_twice(run):
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        run.create(make_record(run.id, name="other"))
    assert run.record().name == "flowers"


def test_a_run_that_is_not_there_is_named(workspace):
    with pytest.raises(NoSuchRunError, match="There is no run 20260101-000000-0009"):
        workspace.run("20260101-000000-0009").record()


@pytest.mark.parametrize("run_id", ["../../etc", "", ".", "a/b", "-rf"])
def test_no_run_id_leads_out_of_the_workspace(workspace, run_id):
    with pytest.raises(NoSuchRunError, match="is not the id of a run"):
        workspace.run(run_id)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"name"', '"nome"', r"run\.json is damaged: name: Field required"),
        ('"created"', '"created', r"run\.json is not valid JSON"),
        ('"format_version": 2', '"format_version": 7', "has format version 7, but .* up to 2"),
    ],
)
def test_a_damaged_or_newer_record_is_refused(run, old, new, message):
    text = run.record_file.read_text(encoding="utf-8")
    run.record_file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StoreCorruptError, match=message):
        run.record()


def test_a_record_of_format_1_is_read_and_says_nobody_who_asked(workspace):
    run = workspace.run("20261126-224118-9075")
    run.path.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("run_format_1.json"), run.record_file)
    record = run.record()
    assert (record.format_version, record.asked_by) == (1, "")
    assert (record.name, record.wanted, record.created) == (
        "Flowers",
        ("pictures",),
        1795732878.6370752,
    )


def test_the_newest_facts_of_each_node_count(run):
    run.append_node("train", NodeFacts(state=NodeState.RUNNING, time=1.0))
    run.append_node("split", DONE)
    run.append_node("train", FAILED)
    assert dict(run.states()) == {"train": FAILED, "split": DONE}
    assert run.needs() == {"ab" * 32}
    run.append_node("split", NodeFacts(state=NodeState.RUNNING, time=4.0))
    assert run.needs() == frozenset()


def test_a_torn_last_line_is_ignored_counted_and_ended_by_the_next(run):
    run.append_node("split", DONE)
    whole = run.states_file.read_bytes()
    run.append_node("split", FAILED)
    torn = run.states_file.read_bytes()[:-20]
    run.states_file.write_bytes(torn)
    assert run.history().nodes == {"split": DONE}
    assert run.history().damaged_lines == 1
    run.append_node("train", FAILED)
    assert run.states_file.read_bytes().startswith(torn + b"\n")
    assert run.history().nodes == {"split": DONE, "train": FAILED}
    assert run.history().damaged_lines == 1
    assert torn.startswith(whole)


def test_every_cut_of_the_file_is_read_as_the_lines_that_are_whole(run):
    run.append_run(RunState.RUNNING)
    run.append_node("split", DONE)
    run.append_run(RunState.COMPLETED)
    text = run.states_file.read_bytes()
    ends = [place for place in range(len(text) + 1) if text[:place].endswith(b"}\n")]
    assert len(ends) == 3
    for cut in range(len(text) + 1):
        run.states_file.write_bytes(text[:cut])
        # A line is whole when only its end of line is missing.
        whole = sum(cut >= end - 1 for end in ends)
        history = run.history()
        assert history.recorded == (None, RunState.RUNNING, RunState.RUNNING, "completed")[whole]
        assert set(history.nodes) == ({"split"} if whole >= 2 else set())


@pytest.mark.parametrize(
    "line", [b"null", b"[]", b"{}", b'{"time": 1, "run": "odd"}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_line_that_is_none_of_ours_is_counted(run, line):
    run.states_file.write_bytes(line + b"\n")
    run.append_node("split", DONE)
    assert run.history().nodes == {"split": DONE}
    assert run.history().damaged_lines == 1


def test_a_run_that_never_began_is_queued_and_one_whose_executor_is_gone_is_interrupted(run):
    assert run.state() is RunState.QUEUED
    with run.execution_lock():
        assert run.state() is RunState.RUNNING
    assert run.state() is RunState.QUEUED, "its executor was lost before it wrote a state"
    run.append_run(RunState.RUNNING)
    assert run.state() is RunState.INTERRUPTED
    with run.execution_lock():
        assert run.state() is RunState.RUNNING
    assert run.state() is RunState.INTERRUPTED


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED])
def test_an_ended_run_has_ended_also_while_its_executor_lives_on(run, state):
    with run.execution_lock():
        run.append_run(RunState.RUNNING)
        run.append_run(state)
        assert run.state() is state
    assert run.state() is state


def test_times_of_begin_and_end_are_kept(run):
    run.append_run(RunState.RUNNING)
    first = run.history().began
    run.append_run(RunState.FAILED)
    run.append_run(RunState.RUNNING)
    run.append_run(RunState.COMPLETED)
    assert run.history().began == first
    assert run.history().changed > first


def test_only_one_executes_a_run(run):
    with (
        run.execution_lock(),
        pytest.raises(OutputInUseError, match=rf"Run {run.id} is in use by process \d+") as caught,
        run.execution_lock(),
    ):
        pass
    assert f"imageloom runs cancel {run.id}" in caught.value.hint


def test_who_executes_waits_for_one_who_only_looks(run, monkeypatch):
    from imageloom.pipeline import run_folder

    real, looks = run_folder.try_lock, iter([True, True, False])

    def held_twice(path, note):
        return None if next(looks) else real(path, note)

    monkeypatch.setattr(run_folder, "try_lock", held_twice)
    with run.execution_lock(wait_s=60):
        assert run.state() is RunState.RUNNING
    assert next(looks, None) is None


def test_a_run_that_is_deleted_while_one_waits_to_execute_it_stays_deleted(run, monkeypatch):
    from imageloom.pipeline import run_folder

    real = run_folder.try_lock

    def after_a_deletion(path, note):
        run.path.rename(run.path.with_name("elsewhere"))
        return real(path, note)

    monkeypatch.setattr(run_folder, "try_lock", after_a_deletion)
    with pytest.raises(NoSuchRunError, match="There is no run"), run.execution_lock():
        pass
    assert not run.path.exists()


def test_signs_to_cancel_are_seen_renewed_and_forgotten_when_they_are_old(run):
    assert not run.cancel_asked()
    run.forget_cancel(before=time.time())
    before = time.time()
    run.ask_to_cancel()
    run.ask_to_cancel()
    assert (run.cancel_asked(), run.cancel_asked(at_once=True)) == (True, False)
    run.forget_cancel(before=before)
    assert run.cancel_asked(), "it is newer"
    between = time.time()
    run.ask_to_cancel(at_once=True)
    run.forget_cancel(before=between)
    assert (run.cancel_asked(), run.cancel_asked(at_once=True)) == (True, True)
    run.forget_cancel(before=time.time() + 1)
    assert (run.cancel_asked(), run.cancel_asked(at_once=True)) == (False, False)
    assert {one.name for one in run.path.iterdir()} == {"run.json"}


def test_a_run_that_is_not_there_cannot_be_asked_to_stop(workspace):
    gone = workspace.run("20260101-000000-0009")
    with pytest.raises(NoSuchRunError, match="There is no run"):
        gone.ask_to_cancel()
    assert not gone.path.exists()


def test_node_folders_lie_in_the_run(run):
    assert run.node_folder("train-2_b") == run.path / "nodes" / "train-2_b"
    for name in ("../x", "", ".", "a/b", "a" * 65):
        with pytest.raises(NoSuchRunError, match="No node is called"):
            run.node_folder(name)


def test_a_full_disk_is_named(run, monkeypatch):
    from imageloom.pipeline import run_folder

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder.os, "fsync", full)
    with pytest.raises(FailedToWriteOutputsError, match="could not be written: No space left"):
        run.append_run(RunState.FAILED)
