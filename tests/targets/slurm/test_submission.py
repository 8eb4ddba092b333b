"""What is written down of a job, and that trouble with reading it is not taken for its absence."""

import pytest

from imageloom.targets.slurm.submission import (
    SUBMISSION_FILE,
    Submission,
    read_submission,
    write_submission,
)


def test_a_job_is_read_as_it_was_written(tmp_path):
    job = Submission(name="imageloom-1", id="7", cluster="big")
    write_submission(tmp_path, job)
    assert read_submission(tmp_path) == job


def test_nothing_was_written_where_there_is_no_file_or_no_folder(tmp_path):
    assert read_submission(tmp_path) is None
    assert read_submission(tmp_path / "missing") is None


def test_what_cannot_be_read_now_is_not_absent(tmp_path):
    (tmp_path / SUBMISSION_FILE).symlink_to(SUBMISSION_FILE)  # stands for EIO or ESTALE
    with pytest.raises(OSError, match=SUBMISSION_FILE):
        read_submission(tmp_path)
