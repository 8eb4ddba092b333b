"""Where things lie, and that no name leads out of the workspace."""

import time

import pytest

from imageloom.errors import StoreCorruptError
from imageloom.pipeline.workspace import Workspace

from .made_runs import make_run


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


def test_a_workspace_that_is_not_there_has_no_runs(workspace):
    assert workspace.run_ids() == ()
    assert not workspace.root.exists()


def test_run_ids_sort_by_time_also_within_a_second(workspace):
    ids = []
    for _ in range(20):
        ids.append(workspace.new_run_id())
        workspace.run(ids[-1]).path.mkdir(parents=True)
    assert ids == sorted(ids)
    assert len(set(ids)) == 20


def test_a_run_id_is_the_time_in_utc(workspace, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_795_410_753.5)
    assert workspace.new_run_id() == "20261123-051233-8000"


def test_the_last_run_is_the_newest_one_also_after_the_clock_was_set_back(workspace, monkeypatch):
    (workspace.runs / "notes").mkdir(parents=True)
    (workspace.runs / "20269999-000000-0000").mkdir()
    ids = []
    for now in (1_795_410_753.5, 1_795_410_700.0, 1_795_410_753.5, 0.0, 1_795_410_760.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        ids.append(make_run(workspace).id)
    assert ids[:2] == ["20261123-051233-8000", "20261123-051233-8001"]
    assert ids == sorted(ids) == list(workspace.run_ids())
    assert ids[-1] == "20261123-051240-0000"


def test_only_folders_with_a_record_are_runs(workspace):
    run = make_run(workspace)
    (workspace.runs / "notes").mkdir()
    (workspace.runs / ".20260101-000000-0000.host.1.ab.partial").mkdir()
    (workspace.runs / "readme.txt").write_text("mine", encoding="utf-8")
    assert workspace.run_ids() == (run.id,)


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "", "ab", "a/b", "..", "a" * 65])
def test_no_digest_leads_out_of_the_workspace(workspace, name):
    for place in (workspace.object_folder, workspace.cache_file, workspace.work_lock):
        with pytest.raises(StoreCorruptError, match="is not a digest"):
            place(name)


def test_what_is_thrown_away_leaves_its_place_at_once_and_is_deleted_later(workspace):
    folder = workspace.root / "folder"
    (folder / "sub").mkdir(parents=True)
    file = workspace.root / "file"
    file.write_text("x", encoding="utf-8")
    for one in (folder, file, workspace.root / "absent"):
        workspace.throw_away(one)
        assert not one.exists()
    assert len(list(workspace.trash.iterdir())) == 2
    workspace.empty_trash()
    assert list(workspace.trash.iterdir()) == []
