"""The index shows what the files of the runs say, on SQLite and PostgreSQL alike."""

import subprocess
import sys
import time

import pytest
from sqlalchemy import create_engine, text

from imageloom.errors import NoSuchRunError
from imageloom.pipeline.index.index import open_index
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.clean import delete_run
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState

from ..made_runs import RUN_IDS, ids_of, make_run  # noqa: TID252 - the absolute name depends on who runs pytest

pytestmark = pytest.mark.processes

OUTPUT = Output(type="ImageDirectory", object="ab" * 32, digest="cd" * 32, size_bytes=7)


def connect(url, workspace):
    if url is None:
        return create_engine(f"sqlite:///{workspace.database}")
    return create_engine(url.replace("://", "+psycopg://"))


def rows_of(url, workspace):
    """Return what stands in the database itself."""
    address = (
        f"sqlite:///{workspace.database}" if url is None else url.replace("://", "+psycopg://")
    )
    engine = create_engine(address)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM imageloom_runs ORDER BY id")).all()
    engine.dispose()
    return rows


def test_an_empty_workspace_has_an_empty_list(index):
    assert index.list() == ()


def test_a_summary_is_what_the_files_say(index, workspace):
    run = make_run(workspace, name="Käfer \u202e", outputs={"first": OUTPUT})
    run.append_run(RunState.RUNNING)
    error = {"code": "0138", "message": "Memory ran out."}
    run.append_node("train", NodeFacts(state=NodeState.FAILED, time=9.0, error=error))
    run.append_run(RunState.FAILED)
    (found,) = index.list()
    history = run.history()
    assert (found.id, found.name, found.state) == (run.id, "Käfer \\x202e", RunState.FAILED)
    assert (found.created, found.began) == (1_800_000_000.5, history.began)
    assert found.ended == history.changed
    assert (found.num_nodes, found.num_done) == (2, 1)
    assert found.problem == "train: Memory ran out."


def test_runs_are_listed_newest_first_and_in_pages(index, workspace):
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    newest_first = RUN_IDS[::-1]
    assert ids_of(index) == newest_first
    assert ids_of(index, limit=2) == newest_first[:2]
    assert ids_of(index, limit=2, offset=3) == newest_first[3:]


def test_runs_are_found_by_words_of_their_name_whatever_the_case(index, workspace):
    for run_id, name in zip(
        RUN_IDS, ["Blüten", "leaves 100%", "leaves 1000", "a_b", "axb"], strict=True
    ):
        make_run(workspace, run_id, name=name)
    assert ids_of(index, text="BLÜT") == [RUN_IDS[0]]
    assert ids_of(index, text="100%") == [RUN_IDS[1]]
    assert ids_of(index, text="a_b") == [RUN_IDS[3]]
    assert ids_of(index, text="000002") == [RUN_IDS[2]]
    assert ids_of(index, text="nothing") == []


def test_the_state_is_the_truth_whatever_the_row_says(index, workspace):
    make_run(workspace, RUN_IDS[0])
    make_run(workspace, RUN_IDS[1], state=RunState.RUNNING)
    make_run(workspace, RUN_IDS[2], state=None)
    make_run(workspace, RUN_IDS[3], state=RunState.FAILED)
    with make_run(workspace, RUN_IDS[4], state=RunState.RUNNING).execution_lock():
        states = {one.id: one.state.value for one in index.list()}
        assert ids_of(index, state=RunState.RUNNING) == [RUN_IDS[4]]
        assert ids_of(index, state=RunState.INTERRUPTED) == [RUN_IDS[1]]
        assert ids_of(index, state=RunState.QUEUED) == [RUN_IDS[2]]
        assert ids_of(index, state=RunState.QUEUED, offset=1) == []
    assert list(states.values()) == [
        "running",
        "failed",
        "queued",
        "interrupted",
        "completed",
    ]
    assert ids_of(index, state=RunState.FAILED) == [RUN_IDS[3]]
    assert ids_of(index, state=RunState.RUNNING) == []
    assert ids_of(index, state=RunState.INTERRUPTED) == [RUN_IDS[4], RUN_IDS[1]]
    assert ids_of(index, state=RunState.INTERRUPTED, limit=1, offset=1) == [RUN_IDS[1]]


def test_a_run_that_changes_is_shown_changed_without_any_sync(index, workspace):
    run = make_run(workspace, state=RunState.RUNNING)
    assert index.list()[0].num_done == 0
    run.append_node("split", NodeFacts(state=NodeState.COMPLETED, time=1.0))
    assert index.list()[0].num_done == 1
    run.append_run(RunState.COMPLETED)
    assert index.list()[0].state is RunState.COMPLETED


def test_only_runs_that_changed_are_read_again(index, workspace, monkeypatch):
    from imageloom.pipeline.index import index as module

    runs = [make_run(workspace, run_id, state=RunState.RUNNING) for run_id in RUN_IDS]
    index.sync_all()
    read = []

    def summarise(run, scope):
        read.append(run.id)
        return real(run, scope)

    real = module.summarise
    monkeypatch.setattr(module, "summarise", summarise)
    index.list()
    index.sync_all()
    assert read == []
    runs[2].append_run(RunState.FAILED)
    index.list()
    assert read == [RUN_IDS[2]]


def test_a_deleted_run_leaves_the_list(index, workspace):
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    index.sync_all()
    delete_run(workspace, RUN_IDS[1])
    delete_run(workspace, RUN_IDS[2])
    assert ids_of(index) == [RUN_IDS[4], RUN_IDS[3], RUN_IDS[0]]
    index.sync(workspace.run(RUN_IDS[1]))
    assert ids_of(index) == [RUN_IDS[4], RUN_IDS[3], RUN_IDS[0]]


def test_removing_the_row_of_a_run_that_is_there_loses_nothing(index, workspace):
    make_run(workspace, RUN_IDS[0])
    index.sync_all()
    index.remove(RUN_IDS[0])
    assert ids_of(index) == [RUN_IDS[0]]


def test_rebuild_gives_the_rows_that_syncing_one_by_one_gave(index, url, workspace):
    for run_id in RUN_IDS:
        run = make_run(workspace, run_id, state=RunState.RUNNING)
        index.sync(run)
        run.append_run(RunState.COMPLETED)
        index.sync(run)
    rows = rows_of(url, workspace)
    assert len(rows) == 5
    index.rebuild()
    assert rows_of(url, workspace) == rows


@pytest.mark.parametrize("statement", ["DELETE FROM imageloom_runs", "UPDATE {} SET name = 'x'"])
def test_rebuild_puts_right_whatever_somebody_did_to_the_rows(index, url, workspace, statement):
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    index.sync_all()
    rows = rows_of(url, workspace)
    address = (
        f"sqlite:///{workspace.database}" if url is None else url.replace("://", "+psycopg://")
    )
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text(statement.format("imageloom_runs")))
    engine.dispose()
    assert rows_of(url, workspace) != rows
    index.rebuild()
    assert rows_of(url, workspace) == rows


def test_a_run_whose_record_is_damaged_is_listed_and_says_so(index, workspace):
    run = make_run(workspace, RUN_IDS[0])
    index.sync_all()
    run.record_file.write_text("{", encoding="utf-8")
    (found,) = index.list()
    assert (found.id, found.name, found.state) == (RUN_IDS[0], "", RunState.COMPLETED)
    assert "run.json is not valid JSON" in found.problem


def test_a_run_whose_states_cannot_be_read_is_listed_and_says_so(index, workspace):
    run = make_run(workspace, RUN_IDS[0], state=None)
    make_run(workspace, RUN_IDS[1])
    run.states_file.mkdir()
    whole, damaged = index.list()
    assert (whole.id, whole.problem) == (RUN_IDS[1], "")
    assert (damaged.id, damaged.name) == (RUN_IDS[0], "flowers")
    assert "states.jsonl cannot be read" in damaged.problem


def test_what_is_no_run_is_not_listed(index, workspace):
    (workspace.runs / "notes").mkdir(parents=True)
    (workspace.runs / "file").write_text("x", encoding="utf-8")
    assert index.list() == ()


def test_two_workspaces_may_share_a_database(postgresql, tmp_path):
    first, second = Workspace(tmp_path / "first"), Workspace(tmp_path / "second")
    make_run(first, RUN_IDS[0], name="one")
    make_run(second, RUN_IDS[0], name="other")
    make_run(second, RUN_IDS[1])
    indexes = [open_index(postgresql, one) for one in (first, second)]
    assert [one.name for one in indexes[0].list()] == ["one"]
    assert ids_of(indexes[1]) == [RUN_IDS[1], RUN_IDS[0]]
    assert ids_of(indexes[0]) == [RUN_IDS[0]]
    for one in indexes:
        one.close()


@pytest.mark.parametrize(
    ("words", "found"),
    [("last", RUN_IDS[4]), (RUN_IDS[1], RUN_IDS[1]), ("20260101-000003", RUN_IDS[3]), ("x", None)],
)
def test_a_run_is_found_by_last_or_the_beginning_of_its_id(index, workspace, words, found):
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    if found is None:
        with pytest.raises(NoSuchRunError, match="There is no run 'x'"):
            index.find(words)
    else:
        assert index.find(words) == found


def test_a_run_that_is_not_found_names_the_nearest(index, workspace):
    with pytest.raises(NoSuchRunError, match=r"There are no runs in .*workspace"):
        index.find("last")
    for run_id in RUN_IDS:
        make_run(workspace, run_id)
    with pytest.raises(NoSuchRunError, match="no run '20260101-000001-0001'") as caught:
        index.find("20260101-000001-0001")
    assert f"Did you mean {RUN_IDS[1]}" in caught.value.hint
    with pytest.raises(NoSuchRunError, match="5 runs begin with '2026'"):
        index.find("2026")
    with pytest.raises(NoSuchRunError, match="There is no run ''"):
        index.find("")


SYNC = """
import sys
from pathlib import Path
from imageloom.pipeline.index.index import open_index
from imageloom.pipeline.workspace import Workspace
sys.path.insert(0, sys.argv[4])
from tests.pipeline.made_runs import make_run
from imageloom.spec.node_state import RunState
workspace = Workspace(Path(sys.argv[1]))
index = open_index(sys.argv[2] or None, workspace)
for number in range(12):
    run = make_run(workspace, f"{sys.argv[3]}-{number:02d}", state=RunState.RUNNING)
    index.sync(run)
    run.append_run(RunState.COMPLETED)
    index.sync(run)
    assert index.find(run.id) == run.id
    listed = {one.id: one.state for one in index.list(limit=1000)}
    assert listed[run.id] is RunState.COMPLETED, listed
    if number % 4 == 0:
        index.rebuild()
index.close()
"""


@pytest.mark.slow
def test_several_processes_make_the_database_and_sync_at_once(url, workspace, repository):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SYNC, str(workspace.root), url or "", f"p{n}", str(repository)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    problems = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, "\n".join(problems)
    assert len(rows_of(url, workspace)) == 48
    index = open_index(url, workspace)
    found = index.list(limit=1000)
    index.close()
    assert len(found) == 48
    assert {one.state for one in found} == {RunState.COMPLETED}


@pytest.mark.slow
def test_kill_9_while_syncing_leaves_a_database_that_shows_every_run(workspace, repository):
    """J01, J04, J05: the journal is rolled back, and needs no shared memory."""
    for number in (0, 3, 6, 9):
        process = subprocess.Popen(
            [sys.executable, "-c", SYNC, str(workspace.root), "", f"k{number}", str(repository)],
            stderr=subprocess.PIPE,
        )
        begun = workspace.runs / f"k{number}-{number:02d}"
        deadline = time.monotonic() + 60
        while not begun.exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.kill()
        process.communicate()
        assert begun.exists()
    notices = []
    index = open_index(None, workspace, on_event=notices.append)
    assert [one.id for one in index.list(limit=1000)] == sorted(workspace.run_ids(), reverse=True)
    index.close()
    assert notices == []
    engine = create_engine(f"sqlite:///{workspace.database}")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert connection.scalar(text("PRAGMA journal_mode")) == "delete"
    engine.dispose()
