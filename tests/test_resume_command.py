"""The command that goes on is made of values, to which others add what they know."""

import shlex

import pytest

from imageloom.resume_command import Resume

LAUNCH = ("--nodes", "2")


@pytest.mark.parametrize(
    ("resume", "options"),
    [
        (Resume("/my run's"), []),
        (Resume("/my run's", launch=LAUNCH), ["--nodes", "2"]),
        (Resume("/my run's", target="lab", launch=LAUNCH), ["--target", "lab"]),
        (
            Resume("/my run's", more=("--root", "NEW"), launch=LAUNCH),
            ["--root", "NEW", "--nodes", "2"],
        ),
    ],
)
def test_a_command_is_quoted_and_a_target_knows_its_launch(resume, options):
    assert shlex.split(resume.command) == ["imageloom", "train", "--resume", "/my run's", *options]


def test_what_is_known_already_is_not_replaced():
    assert Resume("r").knowing(launch=LAUNCH) == Resume("r", launch=LAUNCH)
    assert Resume("r", launch=("--max-restarts", "1")).knowing(target="lab", launch=LAUNCH) == (
        Resume("r", target="lab", launch=("--max-restarts", "1"))
    )


@pytest.mark.parametrize("content", [None, "", [], {}, {"run": ""}])
def test_what_says_not_of_which_run_is_none(content):
    assert Resume.from_json(content) is None
