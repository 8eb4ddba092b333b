"""The files of a job, whatever its folder is called and whether or not it can be written."""

import os

import pytest

from imageloom.errors import FailedToWriteOutputsError
from imageloom.spec.target import Work
from imageloom.targets.slurm.job_files import script_of, write_files
from imageloom.targets.slurm.options import SlurmOptions
from imageloom.targets.slurm.script import SCRIPT_FILE


def script(place):
    return script_of(SlurmOptions(), Work(("-m", "imageloom.worker", place)), "imageloom-1")


def test_a_folder_whose_name_is_not_utf_8_stands_in_the_script_as_it_is(tmp_path):
    write_files(tmp_path, script(os.fsdecode(b"/shared/caf\xe9")), {})
    assert b"/shared/caf\xe9" in (tmp_path / SCRIPT_FILE).read_bytes()


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(tmp_path):
    (tmp_path / "logs").write_text("a file where a folder must be", encoding="utf-8")
    with pytest.raises(FailedToWriteOutputsError, match=r"logs could not be written: .*exists"):
        write_files(tmp_path, script("/shared/run"), {})
