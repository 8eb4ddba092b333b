"""What is written of the end of a run, and that nothing is where its folder was taken away."""

import shutil

import pytest

from imageloom.distributed.ranks import ALONE
from imageloom.errors import FailedToWriteOutputsError, InvalidDatasetError
from imageloom.files.publish import write_json
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.end import recorded_end


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    write_json(run.record, {"state": "running", "seconds": 0.0})
    return run


def test_an_error_is_written_into_the_record_and_beside_it(run):
    with pytest.raises(InvalidDatasetError, match="no pictures"), recorded_end(run, ALONE):
        raise InvalidDatasetError("no pictures")
    assert run.read().state == "failed"
    assert run.error.is_file()


def test_a_folder_that_disappears_while_it_is_trained_is_named_and_does_not_come_back(run):
    def lose():
        shutil.rmtree(run.path)
        raise FileNotFoundError(run.checkpoints)

    words = "disappeared while it was trained"
    with pytest.raises(FailedToWriteOutputsError, match=words), recorded_end(run, ALONE):
        lose()
    assert not run.path.exists()
