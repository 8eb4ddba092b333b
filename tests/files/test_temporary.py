"""Folders among the system's temporary files go with the process that made them."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from imageloom.files.temporary import own_folder

HOLDER = """
import sys, time
from imageloom.files.temporary import own_folder
with own_folder("toy-") as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def holder(temporary):
    """Another process with such a folder."""
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE) as process:
        process.folder = Path(process.stdout.readline().decode().strip())
        yield process
        process.kill()


def test_a_folder_is_gone_with_all_that_is_in_it(temporary):
    with own_folder("toy-") as folder:
        (folder / "file").touch()
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_goes_with_the_next_one(temporary, holder):
    holder.kill()
    holder.wait()
    assert holder.folder.exists()
    with own_folder("other-"):
        assert holder.folder.exists(), "it has another prefix"
    with own_folder("toy-"):
        assert not holder.folder.exists()


def test_what_a_living_process_or_somebody_else_has_stays(temporary, holder):
    (temporary / "toy-without-lock").mkdir()
    with own_folder("toy-"):
        assert holder.folder.exists()
    assert (temporary / "toy-without-lock").exists()
