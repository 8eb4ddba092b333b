"""A run's folder says how to go on with it."""

import shlex
from pathlib import Path

from imageloom.training.run.directory import RunDirectory


def test_the_command_that_goes_on_can_be_copied_into_a_shell():
    run = RunDirectory(Path("/data/my run's"))
    assert shlex.split(run.resume.command) == ["imageloom", "train", "--resume", "/data/my run's"]


def test_whoever_resumes_a_completed_run_is_told_how_to_learn_on_from_it():
    run = RunDirectory(Path("/data/my run"))
    assert "nothing to resume" in run.nothing_to_resume
    words = shlex.split(run.nothing_to_resume.split("model: ")[1])
    assert words[:4] == ["imageloom", "train", "--model", "/data/my run"]
    assert words[4:6] == ["--train", str(run.training_images)]
    assert words[6:8] == ["--validation", str(run.validation_images)]
    assert words[8:] == ["--out", "/data/my run-2"]
