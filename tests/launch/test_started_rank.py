"""Ranks that torchrun starts, and what one of them does while it waits for others."""

import json
import os
import time

import psutil
import pytest
from tests.launch.boards import boards
from tests.training.rank_processes import train_on_ranks
from tiny_network import tiny_extensions
from warm_python import start_program

from imageloom.distributed.ranks import StartedRank
from imageloom.errors import (
    EnvironmentUnsuitableError,
    InvalidDatasetError,
    ParameterParsingError,
    RunInterruptedError,
    TimeoutOccuredError,
    WorkerLostError,
)
from imageloom.events import CancelToken, Control, ignore_events
from imageloom.launch import train
from imageloom.launch.external import rank as started_rank
from imageloom.launch.external import store as rank_store
from imageloom.launch.external import verdict
from imageloom.launch.external import waits as rank_waits
from imageloom.launch.external.rank import is_new_start, rank_started_elsewhere
from imageloom.launch.external.roll_call import RollEntry
from imageloom.launch.external.store import store_of_ranks
from imageloom.launch.external.verdict import tell_answer
from imageloom.launch.local.report import FOLDER_VARIABLE, TOLD_BY, answer_to
from imageloom.launch.params import LaunchParams
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
DEADLINE_S = 120.0
# The command of a rank, the second of which does something before its fifth step.
DISTURBED = """
import os, signal, threading
from imageloom.errors import InvalidDatasetError
from imageloom.events import CancelToken
from imageloom.training.step import Stepper

def disturb():
    {disturbance}

asked = threading.Event()
set_token, take, taken = CancelToken.set, Stepper.take, []
def note(self, reason):
    set_token(self, reason)
    asked.set()
def take_or_disturb(self, *arguments):
    taken.append(1)
    if os.environ["RANK"] == "1" and len(taken) == 5:
        disturb()
    return take(self, *arguments)
CancelToken.set, Stepper.take = note, take_or_disturb

if __name__ == "__main__":
    from imageloom.__main__ import main

    main()
"""
FAIL = 'raise InvalidDatasetError("A picture is gone.", hint="Restore it.")'
ASK_TORCHRUN_TO_STOP = "os.kill(os.getppid(), signal.SIGTERM); assert asked.wait(60)"


@pytest.fixture
def quick(monkeypatch):
    """Ranks that soon lose their patience."""
    for name, value in {"_HEAR_S": 0.6, "_SILENT_S": 0.2, "_LOOK_S": 0.01}.items():
        monkeypatch.setattr(verdict, name, value)
    for name, value in {"_SILENT_S": 0.3, "_LOOK_S": 0.01}.items():
        monkeypatch.setattr(rank_waits, name, value)


def member(board, cancel=None, **launch):
    return started_rank._Member(
        StartedRank("torchrun", board.rank, board.world_size),
        board,
        LaunchParams(**launch),
        Control.of(ignore_events, cancel),
    )


def come(board, **asked):
    entry = RollEntry(asked={"out": "/run", **asked}, host="there", machine="there")
    board.tell("here", entry.model_dump(mode="json"))


def test_a_process_that_our_launcher_started_is_its_own():
    assert rank_started_elsewhere(TORCHRUN) == StartedRank("torchrun", 1, 2, 1, 2)
    assert rank_started_elsewhere(TORCHRUN | {FOLDER_VARIABLE: "/tmp/x"}) is None
    assert rank_started_elsewhere({}) is None


def test_a_start_after_the_first_one_is_told_apart():
    torchrun, srun = StartedRank("torchrun", 0, 2), StartedRank("srun", 0, 2)
    assert not is_new_start(torchrun, {"TORCHELASTIC_RESTART_COUNT": "0"})
    assert is_new_start(torchrun, {"TORCHELASTIC_RESTART_COUNT": "1"})
    assert is_new_start(srun, {"SLURM_RESTART_COUNT": "1", "TORCHELASTIC_RESTART_COUNT": "0"})
    assert not is_new_start(StartedRank("mpirun", 0, 2), {"SLURM_RESTART_COUNT": "1"})


def test_a_start_after_the_first_one_goes_on_with_the_run_that_is_there(tmp_path, monkeypatch):
    rank = StartedRank("torchrun", 0, 2)
    prepare = train._unless_restarted(
        rank, train.NewRun("resnet18", "a", "b", tmp_path), lambda _: tmp_path / "new"
    )
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    assert prepare(2) == tmp_path / "new"  # which refuses to replace a run
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert prepare(2) == tmp_path
    (tmp_path / "run.json").unlink()  # the first start did not get so far
    assert prepare(2) == tmp_path / "new"


def test_a_rank_0_that_dies_while_it_prepares_is_named_by_the_others(quick):
    with boards(2) as ranks:
        come(ranks[0])
        with pytest.raises(WorkerLostError, match="Rank 0 of 2 fell silent without a word"):
            member(ranks[1]).work({"out": "/run"}, lambda *_: pytest.fail("rank 0 prepares"))


def test_a_rank_that_dies_before_all_train_is_named_by_rank_0(quick):
    with boards(2) as ranks:
        come(ranks[1])
        rank_0 = member(ranks[0])
        with ranks[0].living(lambda: None), pytest.raises(WorkerLostError, match="Rank 1 of 2 has"):
            rank_0._waits.meet_at("ready", {})


def test_the_error_of_rank_0_that_prepares_ends_the_others_which_leave_it_to_it(quick):
    with boards(2) as ranks:
        come(ranks[0])
        tell_answer(ranks[0], answer_to(InvalidDatasetError("No pictures."), reason=""))
        with pytest.raises(WorkerLostError, match="Rank 0 of 2 has ended") as caught:
            member(ranks[1]).work({"out": "/run"}, lambda *_: pytest.fail("rank 0 prepares"))
    assert caught.value.details[TOLD_BY] == 0


def test_an_error_of_preparing_is_raised_as_it_is_and_told_to_the_others(
    quick, monkeypatch, tmp_path
):
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))

    def prepare(processes):
        assert processes == 2
        raise InvalidDatasetError("No pictures.", hint="Add some.")

    with boards(2) as ranks:
        come(ranks[1])
        with pytest.raises(InvalidDatasetError, match=r"^No pictures\. Add some\.$"):
            member(ranks[0]).work({"out": "/run"}, prepare)
        assert ranks[1].heard("answer", 0)["error"]["message"] == "No pictures."
    told = json.loads((tmp_path / "error.json").read_text(encoding="utf-8"))["message"]
    assert told["message"] == "InvalidDatasetError: No pictures. Add some."
    assert int(told["extraInfo"]["timestamp"]) > 0
    assert "prepare" in told["extraInfo"]["py_callstack"]


def test_a_rank_that_waits_stops_when_asked_to(quick):
    cancel = CancelToken()
    cancel.set("SIGTERM")
    with boards(2) as ranks, pytest.raises(RunInterruptedError, match="Stopped by SIGTERM"):
        member(ranks[1], cancel).work({"out": "/run"}, lambda *_: None)


def test_rank_0_stops_preparing_when_another_rank_has_ended(quick, monkeypatch):
    monkeypatch.setattr("imageloom.distributed.board.BEAT_S", 0.02)
    cancel = CancelToken()

    def prepare(_processes):
        stopped = answer_to(RunInterruptedError("Stopped by SIGTERM."), reason="SIGTERM")
        tell_answer(ranks[1], stopped)
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            cancel.raise_if_set()

    with boards(2) as ranks:
        come(ranks[1])
        with pytest.raises(RunInterruptedError, match="Stopped by the end of another rank"):
            member(ranks[0], cancel).work({"out": "/run"}, prepare)


def test_ranks_that_do_not_come_are_named(quick):
    with boards(3) as ranks, pytest.raises(TimeoutOccuredError, match=r"Ranks 1, 2 of 3 did not"):
        member(ranks[0], wait_for_nodes=0.05).work({"out": "/run"}, lambda *_: None)


def test_different_tasks_are_refused_before_anything_is_made(quick):
    with boards(2) as ranks:
        come(ranks[1], epochs="3")
        asked = {"out": "/run", "epochs": "2"}
        with pytest.raises(ParameterParsingError, match="epochs is 3 on rank 1 and 2 on rank 0"):
            member(ranks[0]).work(asked, lambda *_: pytest.fail("it was made"))


def test_a_run_that_another_machine_does_not_see_is_refused_there(quick, tmp_path):
    with boards(2) as ranks:
        come(ranks[0])
        ranks[0].tell("prepared", {"run": str(tmp_path / "run")})
        with pytest.raises(EnvironmentUnsuitableError, match=r"run is not there on"):
            member(ranks[1]).work({"out": "/run"}, lambda *_: None)


def test_only_srun_needs_no_address_to_meet_at(tmp_path, monkeypatch):
    for name in ("MASTER_ADDR", "MASTER_PORT", "SLURM_JOB_ID", "SLURM_STEP_ID"):
        monkeypatch.delenv(name, raising=False)
    message = "mpirun started this process as rank 1 of 2, but MASTER_ADDR and MASTER_PORT do not"
    with (
        pytest.raises(EnvironmentUnsuitableError, match=message),
        store_of_ranks(
            StartedRank("mpirun", 1, 2), tmp_path / "run", LaunchParams(), CancelToken()
        ),
    ):
        pytest.fail("there was a store")


def test_under_srun_rank_0_says_where_in_a_file_that_is_gone_afterwards(tmp_path, monkeypatch):
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_NODES": "1"}
    for name, value in step.items():
        monkeypatch.setenv(name, value)
    first, second = (StartedRank("srun", rank, 2) for rank in (0, 1))
    file = tmp_path / ".run.srun-7.0.0"
    with store_of_ranks(first, tmp_path / "run", LaunchParams(), CancelToken()) as (kept, address):
        assert file.stat().st_mode & 0o777 == 0o600
        assert address == "127.0.0.1"
        kept.set("word", "7")
        with store_of_ranks(second, tmp_path / "run", LaunchParams(), CancelToken()) as (joined, _):
            assert joined.get("word") == b"7"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(rank_store, "_LOOK_S", 0.01)
    with (
        pytest.raises(TimeoutOccuredError, match=r"Rank 0 did not say in .*srun-7\.0\.0"),
        store_of_ranks(second, tmp_path / "run", LaunchParams(wait_for_nodes=0.05), CancelToken()),
    ):
        pytest.fail("there was a store")


PARAMS = {"batch_size": 2, "epochs": 3, "precision": "float32", "device": "cpu"}


@pytest.fixture(scope="module")
def tiny(make_pictures, tmp_path_factory):
    """A folder with pictures and an extension that has the network."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny_extensions(folder)
    make_pictures(per_class=6, classes=("red", "green")).save(folder / "training")
    make_pictures(per_class=3, classes=("red", "green"), seed=1).save(folder / "validation")
    return folder


@pytest.fixture
def words(tiny, monkeypatch):
    """A command that trains, without its ``--out``."""
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(tiny / "extensions"))
    options = [f"--{name.replace('_', '-')}={value}" for name, value in PARAMS.items()]
    places = [f"--train={tiny / 'training'}", f"--validation={tiny / 'validation'}"]
    return ["train", "--model=tiny", *places, *options]


# The command torchrun, in a process that has imported torch already; its ranks have not.
TORCHRUN_COMMAND = """
import os, sys, warnings
warnings.resetwarnings()
os.dup2(2, 1)
from torch.distributed.run import main
main(["--standalone", "--nproc-per-node=2", *sys.argv[1:]])
"""


def torchrun(words, *program):
    """Have torchrun start two ranks; return its exit status and all that they print."""
    program = program or ("-m", "imageloom")
    running = start_program(TORCHRUN_COMMAND, *program, *words, environment=os.environ)
    try:
        status = running.wait(DEADLINE_S)
    finally:
        running.kill()
    return status, running.stderr


def weights(run):
    return (run / "model" / "weights.safetensors").read_bytes()


@pytest.mark.slow
def test_torchrun_trains_to_the_bits_of_our_own_ranks_also_when_it_is_stopped_in_between(
    words, tiny, tmp_path
):
    """As those of our launcher do: tests/launch/test_launch.py."""
    pictures = tiny / "training", tiny / "validation"
    ours = train_on_ranks("tiny", pictures, tmp_path / "ours", TrainParams(**PARAMS, workers=0))

    run = RunDirectory(tmp_path / "run")
    program = tmp_path / "disturbed.py"
    program.write_text(DISTURBED.format(disturbance=ASK_TORCHRUN_TO_STOP), encoding="utf-8")
    status, said = torchrun([*words, "--workers=1", f"--out={run.path}"], str(program))
    assert status == 1  # which is torchrun's own
    assert run.read().state == "interrupted", said
    assert said.count("RunInterruptedError (RUN-001)") == 1
    assert "started by torchrun as before" in said
    assert f"Resume   imageloom train --resume {run.path}\n" in said

    status, said = torchrun(["train", "--resume", str(run.path)])
    assert status == 0, said
    assert said.count("Best ") == 1
    assert run.read().state == "completed"
    assert weights(run.path) == weights(ours)
    logs = {log.name for log in run.log.parent.iterdir()}
    assert logs == {"70_driver_log_0.txt", "70_driver_log_1.txt", "70_mpi_log.txt"}
    left = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if str(run.path) in words]


@pytest.mark.slow
def test_the_own_error_of_another_rank_is_the_runs_and_torchruns(words, tmp_path):
    program = tmp_path / "disturbed.py"
    program.write_text(DISTURBED.format(disturbance=FAIL), encoding="utf-8")
    run = RunDirectory(tmp_path / "run")
    status, said = torchrun([*words, "--workers=0", f"--out={run.path}"], str(program))
    assert status == 1
    assert run.read().state == "failed", said
    error = json.loads(run.error.read_text(encoding="utf-8"))
    assert (error["type"], error["details"]["rank"]) == ("InvalidDatasetError", 1)
    assert error["message"] == "Rank 1 of 2: A picture is gone."
    root = said.partition("Root Cause")[2]
    assert "rank      : 1 (local_rank: 1)" in root
    assert "A picture is gone." in root
    assert "WorkerLostError" not in said.partition("Traceback")[0]


GROUP = """
import os, sys
import torch
import torch.distributed as dist
import imageloom

dist.init_process_group("gloo")
result = imageloom.train("tiny", sys.argv[1], sys.argv[2], sys.argv[3],
    params=imageloom.TrainParams(batch_size=2, epochs=1, workers=0, precision="float32",
                                 device="cpu"))
assert result.epochs == 1
ones = torch.ones(1)
dist.all_reduce(ones)
assert ones.item() == 2, "the group of who had made it still works"
again = imageloom.resume(sys.argv[3])
assert again.metrics == result.metrics
dist.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.usefixtures("words")
def test_a_group_that_somebody_made_is_joined_and_left_as_it_was(tiny, tmp_path):
    program = tmp_path / "group.py"
    program.write_text(GROUP, encoding="utf-8")
    places = [tiny / "training", tiny / "validation", tmp_path / "run"]
    status, said = torchrun(map(str, places), str(program))
    assert status == 0, said
