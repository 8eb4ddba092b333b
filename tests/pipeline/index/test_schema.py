"""The tables are made by migrations, which run only when they must."""

import ast
import shutil
import sqlite3
import subprocess
import sys

import pytest
from package_shape import FILES, PACKAGE, tree_of
from sqlalchemy import create_engine, text

from imageloom.pipeline.index import guarded, schema
from imageloom.pipeline.index.index import open_index
from imageloom.pipeline.index.tables import HEAD, METADATA, VERSION_TABLE
from imageloom.spec.node_state import RunState

from ..made_runs import make_run  # noqa: TID252 - the absolute name depends on who runs pytest

pytestmark = pytest.mark.processes

NEXT_STEP = '''
"""Version 0004: whether a person marked the run."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("imageloom_runs", sa.Column("marked", sa.Integer, server_default="7"))
'''


def connect(url, workspace):
    if url is None:
        return create_engine(f"sqlite:///{workspace.database}")
    return create_engine(url.replace("://", "+psycopg://"))


def open_and_close(url, workspace, **named):
    open_index(url, workspace, **named).close()


def test_the_newest_migration_makes_the_tables_that_the_code_declares(url, workspace):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    open_and_close(url, workspace)
    engine = connect(url, workspace)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()


def test_the_head_that_the_code_names_is_the_newest_migration():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


@pytest.fixture
def next_version(tmp_path, monkeypatch):
    """Make the code one version newer than the databases that were made before."""

    def use() -> None:
        folder = tmp_path / "100% migrations"  # a percent sign means something to alembic
        shutil.copytree(schema.MIGRATIONS, folder)
        (folder / "versions" / "v0004_marked.py").write_text(NEXT_STEP, encoding="utf-8")
        monkeypatch.setattr(schema, "HEAD", "0004")
        monkeypatch.setattr(guarded, "HEAD", "0004")
        monkeypatch.setattr(schema, "MIGRATIONS", folder)

    return use


def test_j20_an_older_database_is_brought_up_to_date(url, workspace, next_version):
    run = make_run(workspace)
    index = open_index(url, workspace)
    index.sync_all()
    index.close()
    next_version()
    notices = []
    open_and_close(url, workspace, on_event=notices.append)
    open_and_close(url, workspace, on_event=notices.append)
    (notice,) = notices
    assert (notice.level, "was brought to version 0004" in notice.message) == ("info", True)
    engine = connect(url, workspace)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, state, marked FROM imageloom_runs")).all()
    engine.dispose()
    assert rows == [(run.id, RunState.COMPLETED.value, 7)]


def test_j20_the_file_is_kept_as_it_was_before_a_migration(workspace, next_version):
    run = make_run(workspace)
    index = open_index(None, workspace)
    index.sync_all()
    index.close()
    next_version()
    open_and_close(None, workspace)
    kept = sqlite3.connect(workspace.database.with_name("database.sqlite.before-0004"))
    assert kept.execute("SELECT version_num FROM imageloom_schema").fetchall() == [(HEAD,)]
    assert kept.execute("SELECT id FROM imageloom_runs").fetchall() == [(run.id,)]
    kept.close()


def test_j20_a_migration_that_fails_leaves_the_old_tables(workspace, next_version):
    open_and_close(None, workspace)
    next_version()
    step = schema.MIGRATIONS / "versions" / "v0004_marked.py"
    step.write_text(NEXT_STEP + "    raise RuntimeError('half way')\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="half way"):
        open_index(None, workspace)
    connection = sqlite3.connect(workspace.database)
    assert connection.execute("SELECT version_num FROM imageloom_schema").fetchall() == [(HEAD,)]
    columns = [row[1] for row in connection.execute("PRAGMA table_info(imageloom_runs)")]
    assert "marked" not in columns
    connection.close()


def test_nothing_of_alembic_is_loaded_while_the_version_is_right(workspace):
    make_run(workspace)
    open_and_close(None, workspace)
    code = (
        "import sys; from pathlib import Path;"
        "from imageloom.pipeline.workspace import Workspace;"
        "from imageloom.pipeline.index.index import open_index;"
        "print(len(open_index(None, Workspace(Path(sys.argv[1]))).list()), *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(workspace.root)],
        capture_output=True,
        text=True,
        check=True,
    )
    count, *modules = done.stdout.split()
    assert count == "1"
    assert "sqlalchemy" in modules
    assert {"alembic", "mako", "psycopg", "torch"} & set(modules) == set()


def imported_by(file):
    """Return the packages that a file imports anywhere in it."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def files_that_import(*packages):
    """Return the parts of the names of the files that import one of some packages."""
    return {
        file.relative_to(PACKAGE).parts for file in FILES if set(packages) & set(imported_by(file))
    }


def test_only_this_package_and_what_names_failures_of_optunas_storage_know_of_databases():
    knowing = files_that_import("sqlalchemy", "alembic", "psycopg")
    assert {parts[:2] for parts in knowing} == {("pipeline", "index"), ("tuning", "trials.py")}


def test_sqlite_itself_is_for_this_package_and_for_what_is_known_of_many_pictures():
    others = {
        "scoring/picture_table.py",
        "scoring/read_pictures.py",
        "data/similar/kept_looks.py",
        "data/previews/keep_duplicates.py",
        "data/previews/found_duplicates.py",
    }
    found = files_that_import("sqlite3")
    assert {"/".join(parts) for parts in found if parts[:2] != ("pipeline", "index")} == others
