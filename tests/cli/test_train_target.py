"""``imageloom train --target``: what is refused before there is a run, and how to go on."""

import json

import pytest

from imageloom.cli.failures import resume_command
from imageloom.cli.root import run
from imageloom.publish import write_json
from imageloom.targets.local import LocalTarget

NEW = ("--model", "resnet18", "--train", "train", "--validation", "validation", "--out", "run")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--target", "machine"), "no target called 'machine'", "Did you mean machines"),
        (
            ("--target", "machines", "--nodes", "65"),
            "A node count of 65, but target 'machines' has 64 nodes.",
            "Use at most 64.",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_before_there_is_a_run(here, capsys, words, message, hint):
    assert run(["train", *NEW, *words, "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert message in error["message"]
    assert hint in error["hint"]
    assert not (here / "run").exists()


def test_local_is_this_process(here, capsys):
    assert run(["train", *NEW, "--target", "local"]) == 1
    assert "train" in capsys.readouterr().err
    assert not (here / "run").exists()


def test_the_command_that_goes_on_names_the_target(here):
    write_json(here / "run" / "run.json", {})
    assert resume_command(here / "run") == "imageloom train --resume run"
    assert resume_command(here / "run", "lab") == "imageloom train --resume run --target lab"


def test_a_run_with_a_job_on_a_target_does_not_go_on_here(here, capsys, monkeypatch):
    from imageloom.spec.target import JobStatus

    monkeypatch.setattr(LocalTarget, "status", lambda *_: JobStatus("running"))
    write_json(here / "run" / "run.json", {"state": "running", "processes": 1})
    job = {"run": str(here / "run"), "launch": {}, "target": "machines"}
    write_json(here / "run" / "job" / "train_job.json", job)
    assert run(["train", "--resume", "run", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"] == "A job of this run is on target 'machines'."
    assert "--target machines" in error["hint"]
