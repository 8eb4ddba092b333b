"""A list looks at few folders, and misses nothing by it."""

import contextlib
import shutil
import time

import pytest

from imageloom.pipeline.index import index as index_module
from imageloom.pipeline.index import sweep
from imageloom.pipeline.index.index import open_index
from imageloom.spec.node_state import RunState

from ..made_runs import RUN_IDS, ids_of, make_run  # noqa: TID252 - the absolute name depends on who runs pytest

pytestmark = pytest.mark.processes


@pytest.fixture
def settled(index, monkeypatch):
    """Let an hour pass, and the rows be noted as those of the folders."""

    def pass_time(one=index):
        with monkeypatch.context() as patch:
            patch.setattr(sweep.time, "time", lambda: real() + 3600)
            one.sync_all()

    real = time.time
    return pass_time


@pytest.fixture
def looked_at(monkeypatch):
    """The runs whose files are looked at, in order."""

    def state_of_files(run):
        seen.append(run.id)
        return real(run)

    seen = []
    real = index_module.state_of_files
    monkeypatch.setattr(index_module, "state_of_files", state_of_files)
    monkeypatch.setattr(sweep, "state_of_files", state_of_files)
    return seen


def test_runs_that_ended_and_are_not_shown_are_not_looked_at(index, workspace, settled, looked_at):
    for run_id in RUN_IDS[1:]:
        make_run(workspace, run_id)
    make_run(workspace, RUN_IDS[0], state=RunState.RUNNING)
    settled()
    looked_at.clear()
    assert ids_of(index, limit=1) == [RUN_IDS[4]]
    assert looked_at == [RUN_IDS[0], RUN_IDS[4]]


def test_what_changed_a_moment_ago_is_looked_at_again(index, workspace, looked_at):
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    index.list(limit=1)
    looked_at.clear()
    index.list(limit=1)
    assert set(looked_at) == set(RUN_IDS)


def test_what_comes_and_goes_by_hand_is_seen(index, workspace, settled):
    for run_id in RUN_IDS[:3]:
        make_run(workspace, run_id)
    settled()
    shutil.copytree(workspace.runs / RUN_IDS[0], workspace.runs / RUN_IDS[3])
    assert ids_of(index) == RUN_IDS[3::-1]
    settled()
    shutil.rmtree(workspace.runs / RUN_IDS[1])
    assert ids_of(index) == [RUN_IDS[3], RUN_IDS[2], RUN_IDS[0]]


def test_a_folder_that_is_copied_in_slowly_is_seen_when_its_record_comes(index, workspace, settled):
    run = make_run(workspace, RUN_IDS[0])
    record = run.record_file.rename(workspace.root / "run.json")
    settled()
    assert ids_of(index) == []
    record.rename(run.record_file)
    assert ids_of(index) == [RUN_IDS[0]]


def test_a_run_that_goes_on_elsewhere_is_found_by_its_new_state(index, workspace, settled):
    for run_id in RUN_IDS:
        make_run(workspace, run_id, state=RunState.FAILED)
    settled()
    assert ids_of(index, state=RunState.INTERRUPTED) == []
    workspace.run(RUN_IDS[1]).append_run(RunState.RUNNING)
    assert ids_of(index, state=RunState.INTERRUPTED) == [RUN_IDS[1]]
    assert ids_of(index, state=RunState.FAILED, limit=2, offset=2) == [RUN_IDS[2], RUN_IDS[0]]


def test_a_run_that_ended_elsewhere_is_found_by_its_new_state(index, workspace, settled):
    for run_id in RUN_IDS:
        make_run(workspace, run_id, state=RunState.RUNNING)
    settled()
    workspace.run(RUN_IDS[1]).append_run(RunState.FAILED)
    assert ids_of(index, state=RunState.FAILED) == [RUN_IDS[1]]


def test_a_run_that_was_damaged_by_hand_is_read_again_when_it_is_shown(index, workspace, settled):
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    settled()
    workspace.run(RUN_IDS[2]).record_file.write_text("{", encoding="utf-8")
    (found,) = index.list(limit=1, offset=2)
    assert "run.json is not valid JSON" in found.problem


def test_a_database_that_is_lost_after_all_was_noted_is_made_again(workspace, settled):
    with contextlib.closing(open_index(None, workspace)) as index:
        for run_id in RUN_IDS:
            make_run(workspace, run_id)
        settled(index)
        workspace.database.unlink()
        assert ids_of(index) == RUN_IDS[::-1]
