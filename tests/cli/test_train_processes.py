"""What ``imageloom train`` makes of the options on processes, before anything is trained."""

from pathlib import Path

import pytest

from imageloom.cli.call import Call
from imageloom.cli.progress import NoticeList
from imageloom.cli.root import run
from imageloom.cli.train.train import _pictures, _take_place_among_ranks
from imageloom.files.publish import write_json
from imageloom.launch import launch as launched
from imageloom.launch import params, train
from imageloom.launch.network import addresses
from imageloom.spec.scale import Scale
from imageloom.training.train import TrainResult

PLACES = ["--model", "resnet18", "--train", "a", "--validation", "b", "--out", "run"]


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What the functions behind the command are asked for; they do nothing."""
    heard = {}

    def note(place, *, launch, root=None, **_options):
        launched.require_place(launch)
        heard.update(launch=launch, root=place.root if root is None else root)
        return TrainResult(tmp_path, tmp_path, tmp_path, 1, 1, {})

    # Stand-ins, because a real training would take longer than all tests of this folder.
    monkeypatch.setattr(train, "train_new", note)
    monkeypatch.setattr(train, "resume", note)
    monkeypatch.setattr(params, "processing_units", lambda _: 4)
    write_json(tmp_path / "run.json", {"format_version": 1, "processes": 3})
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
    ("flags", "nodes", "processes", "restarts"),
    [
        ([], 1, 3, 0),
        (["--max-restarts", "3"], 1, 3, 3),
        (["--processes-per-node", "1"], 1, 1, 0),
        (["--processes-per-node", "2", "--max-restarts", "3"], 1, 2, 3),
        (["--nodes", "3", "--interface", "lo"], 3, 1, 0),
        (["--nodes", "2", "--processes-per-node", "2", "--interface", "lo"], 2, 2, 0),
    ],
)
def test_a_run_goes_on_as_it_began_unless_another_number_is_given(
    asked, tmp_path, flags, nodes, processes, restarts
):
    assert run(["train", "--resume", str(tmp_path), *flags]) == 0
    launch = asked["launch"]
    assert (launch.nodes, launch.processes_per_node) == (nodes, processes)
    assert launch.max_restarts == restarts


def test_the_new_places_of_moved_pictures_are_passed_on(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (PLACES, ["--resume", str(tmp_path)]):
        assert run(["train", *words]) == 0
        assert asked["root"] == ()
        assert run(["train", *words, "--root", "new", "--root", "/b"]) == 0
        assert asked["root"] == (tmp_path / "new", Path("/b"))


def test_machines_that_may_come_and_go_are_written_as_a_range(asked):
    assert run(["train", *PLACES, "--nodes", "2:4", "--interface", "lo"]) == 0
    assert asked["launch"].scale == Scale(2, 4)


def test_a_range_that_is_upside_down_is_refused_with_both_numbers(asked, capsys):
    assert run(["train", *PLACES, "--nodes", "4:2"]) == 1
    assert "min_nodes is 4, but there are at most 2 machines." in capsys.readouterr().err


def test_s30_several_machines_need_an_interface_and_are_told_which_there_are(asked, capsys):
    assert run(["train", *PLACES, "--nodes", "2"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "this one needs a network interface" in said
    assert all(f"{name} ({address})" in said for name, address in addresses().items())
    assert "neither encrypted nor signed" in said
    assert run(["train", *PLACES, "--nodes", "2", "--interface", "nowhere0"]) == 1
    assert "has no network interface 'nowhere0'" in " ".join(capsys.readouterr().err.split())


def test_other_options_do_not_go_with_resume(asked, tmp_path, capsys):
    assert run(["train", "--resume", str(tmp_path), "--epochs", "3"]) == 2
    assert "cannot be joined with --epochs" in capsys.readouterr().err


@pytest.mark.parametrize(("local_rank", "tells"), [("0", True), ("1", False)])
def test_of_the_ranks_on_a_machine_one_tells_what_all_find_before_they_divide_the_work(
    local_rank, tells, monkeypatch, tmp_path
):
    for part in ("train", "val"):
        (tmp_path / part).mkdir()
    names = {"RANK": local_rank, "WORLD_SIZE": "2", "LOCAL_RANK": local_rank}
    for name, value in (names | {"LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "x"}).items():
        monkeypatch.setenv(name, value)
    call = Call(arguments={"data": tmp_path}, on_event=NoticeList())
    _take_place_among_ranks(call)
    assert call.is_repeating is not tells
    assert _pictures(call) == (tmp_path / "train", tmp_path / "val")
    assert bool(call.on_event.notices) is tells
