"""A run's folder says how to go on with it."""

import shlex
from pathlib import Path

from imageloom.training.run_directory import RunDirectory


def test_the_command_that_goes_on_can_be_copied_into_a_shell():
    run = RunDirectory(Path("/data/my run's"))
    assert shlex.split(run.resume_command) == ["imageloom", "train", "--resume", "/data/my run's"]


def test_whoever_resumes_a_completed_run_is_told_how_to_learn_on_from_it():
    said = RunDirectory(Path("/data/my run")).nothing_to_resume
    assert "nothing to resume" in said
    assert "imageloom train --model '/data/my run' --train ... --validation ... --out NEW" in said
    assert "--epochs" in said
