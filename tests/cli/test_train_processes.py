"""What ``imageloom train`` makes of the options on processes, before anything is trained."""

import pytest

from imageloom.cli.root import run
from imageloom.launch import params, train
from imageloom.training.train import TrainResult

PLACES = ["--model", "resnet18", "--train", "a", "--validation", "b", "--out", "run"]


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What the functions behind the command are asked for; they do nothing."""
    heard = {}

    def note(*_places, **options):
        heard.update(options)
        return TrainResult(tmp_path, tmp_path, tmp_path, 1, 1, {})

    # Stand-ins, because a real training would take longer than all tests of this folder.
    monkeypatch.setattr(train, "train", note)
    monkeypatch.setattr(train, "resume", note)
    monkeypatch.setattr(params, "processing_units", lambda _: 4)
    return heard


def test_one_process_is_the_default(asked):
    assert run(["train", *PLACES]) == 0
    assert asked["launch"] == params.LaunchParams()


def test_processes_and_restarts_are_passed_on(asked):
    assert run(["train", *PLACES, "--processes-per-node", "4", "--max-restarts", "2"]) == 0
    assert asked["launch"] == params.LaunchParams(processes_per_node=4, max_restarts=2)


def test_h08_too_many_processes_are_refused_before_a_picture_is_read(asked, capsys):
    assert run(["train", *PLACES, "--processes-per-node", "8"]) == 1
    said = capsys.readouterr().err
    assert "8 processes per node, but this machine has 4 cores" in said
    assert "Use at most 4." in said
    assert asked == {}


@pytest.mark.parametrize(
    ("flags", "processes", "restarts"),
    [
        ([], None, 0),
        (["--processes-per-node", "1"], 1, 0),
        (["--processes-per-node", "2", "--max-restarts", "3"], 2, 3),
    ],
)
def test_a_run_goes_on_as_it_began_unless_another_number_is_given(
    asked, tmp_path, flags, processes, restarts
):
    assert run(["train", "--resume", str(tmp_path), *flags]) == 0
    assert (asked["processes_per_node"], asked["max_restarts"]) == (processes, restarts)


def test_other_options_do_not_go_with_resume(asked, tmp_path, capsys):
    assert run(["train", "--resume", str(tmp_path), "--epochs", "3"]) == 2
    assert "cannot be joined with --epochs" in capsys.readouterr().err
