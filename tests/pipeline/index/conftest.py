"""A database of each kind: a SQLite file, and a real PostgreSQL server where one is installed."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from imageloom.pipeline.index.index import open_index
from imageloom.pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """What ``open_index`` is given: None for the workspace's own file, or an address."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def index(url, workspace):
    opened = open_index(url, workspace)
    yield opened
    opened.close()


@pytest.fixture
def postgresql(_postgresql_server, tmp_path):
    """The address of an empty PostgreSQL database."""
    name = f"test_{os.urandom(6).hex()}"
    server = create_engine(_address(_postgresql_server, "postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    return _address(_postgresql_server, name)


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[Path]:
    """A server of its own for these tests, reached by a socket in a temporary folder."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = _find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="imageloom-pg-"))  # a socket's path must be short
    owner = _unprivileged()
    if owner:
        shutil.chown(folder, owner["user"], owner["group"])
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"

    def call(program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        log = folder / f"{program}.log"
        with log.open("ab") as output:  # a pipe would be held open by the server
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
                check=False,
                **owner,
            )
        assert done.returncode == 0, log.read_text(encoding="utf-8", errors="replace")

    try:
        call("initdb", "-U", "imageloom", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-w", "-t", "60", "-o", options, "-l", str(folder / "server.log"), "start")
        yield folder
    finally:
        with contextlib.suppress(AssertionError):  # it never started
            call("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _address(folder: Path, name: str) -> str:
    return f"postgresql://imageloom@/{name}?host={folder}"


def _find_programs() -> Path | None:
    folders = [Path(found).parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if (one / "initdb").exists()), None)


def _unprivileged() -> dict[str, object]:
    """Return how to start a process as somebody else than root, whom the server refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return pytest.skip("there is no user 'postgres' or 'nobody' for the server to run as")
