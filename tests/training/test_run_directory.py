"""A run's folder says how to go on with it."""

import shlex
from pathlib import Path

from imageloom.training.run_directory import RunDirectory


def test_the_command_that_goes_on_can_be_copied_into_a_shell():
    run = RunDirectory(Path("/data/my run's"))
    assert shlex.split(run.resume_command) == ["imageloom", "train", "--resume", "/data/my run's"]
