"""Whatever happens to the database, no run is lost and none is shown wrongly."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import create_engine, event, text

from imageloom.errors import (
    EnvironmentUnsuitableError,
    ParameterParsingError,
    StoreBusyError,
    StoreCorruptError,
)
from imageloom.events import Notice
from imageloom.pipeline.index.index import open_index
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import RunState

from ..made_runs import make_run  # noqa: TID252 - the absolute name depends on who runs pytest

pytestmark = pytest.mark.processes

IDS = [f"20260101-0000{number:02d}-0000" for number in range(60)]  # several pages of the file


@pytest.fixture
def notices():
    return []


@pytest.fixture
def listed(workspace, notices):
    """Return a function that opens the index as a new process would, and lists the runs."""

    def listed(url=None, **named):
        index = open_index(url, workspace, on_event=notices.append, **named)
        try:
            return [one.id for one in index.list(limit=1000)][::-1]
        finally:
            index.close()

    return listed


@pytest.fixture(scope="session")
def _indexed_runs(tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("runs"))
    for run_id in IDS:
        make_run(workspace, run_id, name="flowers " * 20)
    index = open_index(None, workspace)
    index.sync_all()
    index.close()
    return workspace


@pytest.fixture
def runs(workspace, _indexed_runs):
    shutil.copytree(_indexed_runs.root, workspace.root)


def cut(file):
    os.truncate(file, file.stat().st_size // 2)


def zero_a_page(file, number=5):
    with file.open("r+b") as opened:
        opened.seek(4096 * number)
        opened.write(b"\0" * 4096)


def zero_the_first_page(file):
    zero_a_page(file, 0)


def fill_with_noise(file):
    file.write_bytes(b"noise" * 5000)


def replace_by_another_program(file):
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE recipes (cake TEXT)")
    connection.execute("INSERT INTO recipes VALUES ('plum')")
    connection.commit()
    connection.close()


def change_the_tables(file):
    execute(file, "ALTER TABLE imageloom_runs RENAME COLUMN name TO title")


def remove_the_table(file):
    execute(file, "DROP TABLE imageloom_runs")


def remove_the_version(file):
    execute(file, "DELETE FROM imageloom_schema")


def execute(file, statement):
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


DAMAGES = [
    cut,
    zero_a_page,
    zero_the_first_page,
    fill_with_noise,
    replace_by_another_program,
    change_the_tables,
    remove_the_table,
    remove_the_version,
]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_j03_a_damaged_file_is_moved_aside_and_made_again(workspace, listed, notices, damage):
    damage(workspace.database)
    damaged = workspace.database.read_bytes()
    assert listed() == IDS
    (aside,) = workspace.root.glob("database.sqlite.damaged-*")
    assert aside.read_bytes() == damaged
    (notice,) = notices
    assert notice.level == "warning"
    assert f"was moved to {aside.name}" in notice.message
    assert listed() == IDS
    assert len(notices) == 1


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_j03_damage_while_the_index_is_open_is_repaired_as_well(workspace, notices, damage):
    index = open_index(None, workspace, on_event=notices.append)
    damage(workspace.database)
    assert [one.id for one in index.list(limit=1000)] == IDS[::-1]
    assert len(notices) <= 1  # what no listing reads is found when the file is next opened
    index.close()


@pytest.mark.usefixtures("runs")
def test_j03_what_was_put_right_is_logged_when_nobody_listens(workspace, caplog):
    fill_with_noise(workspace.database)
    open_index(None, workspace).close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no run is lost" in caplog.text


@pytest.mark.usefixtures("runs")
def test_j03_a_deleted_file_is_made_again(workspace, listed, notices):
    index = open_index(None, workspace, on_event=notices.append)
    workspace.database.unlink()
    assert [one.id for one in index.list(limit=1000)] == IDS[::-1]
    index.close()
    workspace.database.unlink()
    assert listed() == IDS
    workspace.database.write_bytes(b"")
    assert listed() == IDS
    assert notices == []  # nothing was lost that would be worth a word


@pytest.mark.usefixtures("runs")
def test_j03_a_file_of_another_workspace_shows_our_runs_only(workspace, listed, tmp_path):
    other = Workspace(tmp_path / "other")
    make_run(other, IDS[0], name="theirs", state=RunState.FAILED)
    make_run(other, "20990101-000000-0000")
    index = open_index(None, other)
    index.sync_all()
    index.close()
    shutil.copy(other.database, workspace.database)
    assert listed() == IDS
    index = open_index(None, workspace)
    assert index.list(limit=1000)[-1].state is RunState.COMPLETED
    index.close()


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("size", [1, 15, 100, 2048, 4095])
def test_j03_a_file_cut_inside_its_last_page_shows_the_truth(workspace, listed, size):
    os.truncate(workspace.database, workspace.database.stat().st_size - size)
    assert listed() == IDS


@pytest.mark.usefixtures("runs")
def test_j03_any_page_may_be_zero(workspace, listed):
    whole = workspace.database.read_bytes()
    assert len(whole) >= 8 * 4096
    for number in range(len(whole) // 4096):
        workspace.database.write_bytes(whole)
        zero_a_page(workspace.database, number)
        assert listed() == IDS, number


@pytest.mark.slow
@pytest.mark.usefixtures("runs")
def test_j03_every_byte_of_the_first_page_may_be_wrong(workspace, listed):
    whole = workspace.database.read_bytes()
    places = [*range(0, 112), *range(112, 4096, 97)]
    for place in places:
        wrong = bytearray(whole)
        wrong[place] ^= 0xFF
        workspace.database.write_bytes(wrong)
        assert listed() == IDS, place


def test_j03_a_newer_database_is_refused_and_left_alone(url, workspace, listed):
    listed(url)
    address = (
        f"sqlite:///{workspace.database}" if url is None else url.replace("://", "+psycopg://")
    )
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE imageloom_schema SET version_num = '0042'"))
        connection.execute(text("ALTER TABLE imageloom_runs RENAME TO imageloom_all_runs"))
    before = workspace.database.read_bytes() if url is None else b""
    with pytest.raises(StoreCorruptError, match=r"version 0042, but this .* knows up to 0003"):
        listed(url)
    if url is None:
        assert workspace.database.read_bytes() == before
        assert list(workspace.root.glob("*damaged*")) == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM imageloom_schema")) == "0042"
        assert connection.scalar(text("SELECT count(*) FROM imageloom_all_runs")) == 0
    engine.dispose()


@pytest.mark.parametrize("obstacle", ["a folder in its place", "a file in place of the workspace"])
def test_j03_where_no_file_can_be_written_the_runs_are_listed_from_memory(
    workspace, notices, obstacle
):
    if obstacle == "a folder in its place":
        make_run(workspace, IDS[0])
        workspace.database.mkdir()
        expected = [IDS[0]]
    else:
        workspace.root.write_text("x", encoding="utf-8")
        expected = []
    index = open_index(None, workspace, on_event=notices.append)
    assert [one.id for one in index.list()] == expected
    index.close()
    (notice,) = notices
    assert "cannot be used" in notice.message


@pytest.mark.usefixtures("runs")
def test_j03_a_file_that_became_read_only_is_read_from_memory(workspace, notices, monkeypatch):
    from imageloom.pipeline.index import guarded

    def read_only(file, *, busy_timeout_s):
        engine = real(file, busy_timeout_s=busy_timeout_s)
        if file is not None:
            event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA query_only=ON"))
        return engine

    real = guarded.connect_sqlite
    monkeypatch.setattr(guarded, "connect_sqlite", read_only)  # root may write everywhere
    index = open_index(None, workspace, on_event=notices.append)
    assert len(index.list(limit=1000)) == 60
    assert notices == []
    make_run(workspace, "20990101-000000-0000")
    assert len(index.list(limit=1000)) == 61
    assert [notice.level for notice in notices] == ["warning"]
    index.close()


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(workspace, listed):
    """A process that holds the database."""
    listed()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_j02_a_database_held_for_a_moment_is_waited_for(workspace, held, listed):
    make_run(workspace, IDS[0])
    threading.Timer(0.3, held.kill).start()
    assert listed(busy_timeout_s=20) == [IDS[0]]


def test_j02_a_database_held_for_too_long_is_named_and_the_files_are_intact(
    workspace, held, listed
):
    run = make_run(workspace, IDS[0])
    began = time.monotonic()
    with pytest.raises(StoreBusyError, match=r"holds the database .*database\.sqlite for too long"):
        listed(busy_timeout_s=0.2)
    assert 0.2 <= time.monotonic() - began < 10
    assert run.state() is RunState.COMPLETED
    held.kill()
    held.wait()
    assert listed() == [IDS[0]]


def test_j02_a_locked_table_in_postgresql_is_waited_for_and_then_named(
    postgresql, workspace, listed
):
    listed(postgresql)
    make_run(workspace, IDS[0])
    engine = create_engine(postgresql.replace("://", "+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE imageloom_runs"))
        with pytest.raises(
            StoreBusyError, match=r"holds the database .* for too long: .*lock timeout"
        ):
            listed(postgresql, busy_timeout_s=0.2)
    engine.dispose()
    assert listed(postgresql) == [IDS[0]]


def test_a_server_that_does_not_answer_is_named_without_its_password(workspace, tmp_path):
    url = f"postgresql://anna:s3cret@/flowers?host={tmp_path}"
    with pytest.raises(EnvironmentUnsuitableError, match="does not answer") as caught:
        open_index(url, workspace)
    assert "s3cret" not in str(caught.value)
    assert "IMAGELOOM_DATABASE_URL" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["flowers", "mysql://anna:s3cret@host/db", "sqlite://", "postgresql://h:port/db", ""]
)
def test_an_address_that_cannot_be_used_is_named_without_its_password(workspace, url):
    with pytest.raises(ParameterParsingError, match="is not the address of a database") as caught:
        open_index(url, workspace)
    assert "s3cret" not in str(caught.value)


def test_tables_of_somebody_else_in_postgresql_are_left_alone(postgresql, workspace):
    engine = create_engine(postgresql.replace("://", "+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE imageloom_runs (cake TEXT)"))
        connection.execute(text("INSERT INTO imageloom_runs VALUES ('plum')"))
    with pytest.raises(StoreCorruptError, match="does not hold what we put there") as caught:
        open_index(postgresql, workspace)
    assert "Delete the tables imageloom_runs" in caught.value.hint
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT cake FROM imageloom_runs")) == "plum"
    engine.dispose()


def test_a_sqlite_file_may_lie_elsewhere(workspace, tmp_path, listed):
    make_run(workspace, IDS[0])
    assert listed(f"sqlite:///{tmp_path}/elsewhere/index.sqlite") == [IDS[0]]
    assert (tmp_path / "elsewhere" / "index.sqlite").is_file()
    assert not workspace.database.exists()


def test_on_a_full_disk_the_list_is_made_in_memory(workspace, listed, notices, monkeypatch):
    listed()
    make_run(workspace, IDS[0], name="x" * 100_000)
    execute(workspace.database, "PRAGMA max_page_count = 4")
    index = open_index(None, workspace, on_event=notices.append)
    real = index._database._attempt

    def on_a_full_disk(work, *, write):
        def limited(connection):
            if index._database._file is None:
                return work(connection)  # in memory
            connection.exec_driver_sql("PRAGMA max_page_count = 4")
            return work(connection)

        return real(limited, write=write)

    monkeypatch.setattr(index._database, "_attempt", on_a_full_disk)
    assert [summary.id for summary in index.list()] == [IDS[0]]
    assert "cannot be used: the disk is full" in notices[0].message
    index.close()


def test_many_processes_find_the_damage_at_once_and_one_repairs_it(workspace, runs, notices):
    indexes = [open_index(None, workspace, on_event=notices.append) for _ in range(4)]
    fill_with_noise(workspace.database)
    found = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(len(one.list(limit=1000))))
        for one in indexes
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [60] * 4
    assert [type(one) for one in notices] == [Notice]
    assert len(list(workspace.root.glob("database.sqlite.damaged-*"))) == 1
    for one in indexes:
        one.close()
