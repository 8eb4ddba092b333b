"""``imageloom train --target``: what is refused before there is a run, and how to go on."""

import json
import os
import signal

import pytest

from imageloom.cli.failures import resume_of
from imageloom.cli.root import run
from imageloom.files.publish import write_json
from imageloom.launch.params import LaunchParams
from imageloom.remote import follow_training as target_training
from imageloom.targets.local import LocalTarget
from imageloom.training.train import TrainResult

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
        (
            ("--target", "machines", "--nodes", "2"),
            "target 'machines' names no network interface by which they reach each other.",
            "Name one with --interface: lo",
        ),
        (
            ("--target", "machines", "--nodes", "1:2", "--interface", "none7"),
            "A node count of 2, but this machine has no network interface 'none7'.",
            "Name one with --interface: lo",
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
    assert resume_of(here / "run").command == "imageloom train --resume run"
    command = "imageloom train --resume run --target lab"
    assert resume_of(here / "run", "lab").command == command


def test_the_command_that_goes_on_names_the_machines_unless_a_target_knows_them(here):
    write_json(here / "run" / "run.json", {})
    words = LaunchParams(nodes=2, interface="eth0").resume_words
    command = resume_of(here / "run", launch=words).command
    assert command.endswith("--resume run --nodes 2 --processes-per-node 1 --interface eth0")
    assert "--nodes" not in resume_of(here / "run", "lab", launch=words).command


def test_a_given_option_changes_what_the_last_job_was_and_nothing_else(here, monkeypatch):
    asked = {}

    def note(*_places, launch, **_options):
        asked["launch"] = launch
        return TrainResult(here, here, here, 1, 1, {})

    # A stand-in, because nothing shall be trained.
    monkeypatch.setattr(target_training, "resume_on", note)
    write_json(here / "run" / "run.json", {"state": "running", "processes": 4})
    job = {"run": str(here / "run"), "launch": {"nodes": 2, "processes_per_node": 2}}
    write_json(here / "run" / "job" / "train_job.json", {**job, "target": "machines"})
    words = ["--target", "machines", "--interface", "lo"]
    assert run(["train", "--resume", "run", *words]) == 0
    assert asked["launch"] == LaunchParams(nodes=2, processes_per_node=2, interface="lo")


def test_a_run_with_a_job_on_a_target_does_not_go_on_here(here, capsys, monkeypatch):
    from imageloom.spec.target import JobStatus

    monkeypatch.setattr(LocalTarget, "status", lambda *_: JobStatus("running"))
    write_json(here / "run" / "run.json", {"state": "running", "processes": 1})
    job = {"run": str(here / "run"), "launch": {}, "target": "machines"}
    write_json(here / "run" / "job" / "train_job.json", job)
    assert run(["train", "--resume", "run", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"] == "A job of this run is on target 'machines'."
    command = f"imageloom train --resume {here / 'run'} --target machines"
    assert error["resume_command"] == error["resume"]["command"] == command


def test_the_command_lets_the_follower_know_when_nobody_watches_and_answers_two_signals(
    here, monkeypatch
):
    followed = {}

    def note(*_places, control, is_unwatched, **_options):
        terminals.append(False)
        followed["unwatched"] = is_unwatched()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        followed["asked"] = control.cancel.asked
        return TrainResult(here, here, here, 1, 1, {})

    # Stand-ins, because nothing shall be trained and a test has no terminal to close.
    terminals = [True]
    monkeypatch.setattr(target_training, "resume_on", note)
    monkeypatch.setattr("imageloom.cli.call.sys.stdout.isatty", lambda: terminals[-1])
    write_json(here / "run" / "run.json", {"state": "running", "processes": 1})
    assert run(["train", "--resume", "run", "--target", "machines"]) == 0
    assert followed == {"unwatched": True, "asked": 2}
