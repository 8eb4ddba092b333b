"""Two ranks that really train: what they leave, and what becomes of them when one is disturbed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.training.rank_processes import train_on_ranks
from tiny_network import tiny_declared, tiny_extensions

from imageloom.errors import (
    CannotResumeError,
    OutputInUseError,
    RunInterruptedError,
    WorkerLostError,
)
from imageloom.events import CancelToken, Control, Metric, Notice
from imageloom.files.publish import write_json
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.launch import LAUNCHER_LOG, launch_ranks, recorded
from imageloom.launch.params import LaunchParams
from imageloom.launch.train import resume, train
from imageloom.models.params import ModelParams
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.train import NewRun, prepare_run

pytestmark = pytest.mark.slow

# So many steps that a run is still at it when a test has heard of the first few.
PARAMS = TrainParams(
    epochs=4,
    batch_size=2,
    learning_rate=0.002,
    precision="float32",
    device="cpu",
    workers=0,
    print_frequency=1,
    patience=4,
)
STEPS = 20  # of an epoch: 80 pictures, 2 on each of 2 ranks
TWO = LaunchParams(processes_per_node=2)
DEADLINE_S = 120.0


@pytest.fixture(scope="module")
def extensions(tmp_path_factory):
    with tiny_declared():
        yield tiny_extensions(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def _tiny_network(extensions, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(extensions))


@pytest.fixture(scope="module")
def pictures(make_pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    make_pictures(per_class=40, classes=("red", "green"), size=8).save(folder / "training")
    make_pictures(per_class=3, classes=("red", "green"), size=8, seed=1).save(folder / "validation")
    return folder / "training", folder / "validation"


def train_two(pictures, out, *, launch=TWO, **options):
    params = {"params": PARAMS, "model_params": ModelParams(), "launch": launch}
    return train("tiny", *pictures, out, **params, **options)


def weights(run):
    return (run / "model" / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def quiet(pictures, extensions, tmp_path_factory):
    """A run on two ranks that nothing disturbs, and the events it told."""
    heard = []
    run = tmp_path_factory.mktemp("quiet") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGELOOM_EXTENSIONS", str(extensions))
        return train_two(pictures, run, on_event=heard.append), heard


def rank_processes():
    """Return the processes of ranks that we started, by rank."""
    found = {}
    for process in psutil.Process().children():
        if "imageloom.launch.rank" in process.cmdline():
            found[int(process.environ()["RANK"])] = process
    return found


class AtStep:
    """An event sink that does something once, when a training of so many steps was seen."""

    def __init__(self, steps, act):
        self.steps = steps
        self.act = act
        self.heard = []

    def __call__(self, event):
        self.heard.append(event)
        if isinstance(event, Metric) and event.name == "Train loss":
            self.steps -= 1
            if self.steps == 0:
                self.act()


def test_two_ranks_leave_what_one_leaves_and_a_log_each(quiet):
    result, heard = quiet
    run = RunDirectory(result.run)
    assert run.read().state == "completed"
    assert run.read().processes == 2
    assert sorted(path.name for path in run.log.parent.iterdir()) == [
        "70_driver_log_0.txt",
        "70_driver_log_1.txt",
        "70_mpi_log.txt",
    ]
    assert result.epochs == PARAMS.epochs
    told = [event.name for event in heard if isinstance(event, Metric)]
    assert told.count("Train loss") == PARAMS.epochs * STEPS


def test_two_ranks_train_to_the_bits_of_two_that_nobody_launched(pictures, quiet, tmp_path):
    assert weights(train_on_ranks("tiny", pictures, tmp_path / "run", PARAMS)) == weights(
        quiet[0].run
    )


def test_a_killed_rank_is_named_all_start_again_and_nothing_is_left(
    pictures, quiet, tmp_path, monkeypatch
):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    shared = set(Path("/dev/shm").iterdir())
    descriptors = psutil.Process().num_fds()
    killer = AtStep(5, lambda: rank_processes()[0].kill())
    launch = LaunchParams(processes_per_node=2, max_restarts=1)
    result = train_two(pictures, tmp_path / "run", launch=launch, on_event=killer)
    assert weights(result.run) == weights(quiet[0].run)
    notices = [one.message for one in killer.heard if isinstance(one, Notice)]
    assert any("Rank 0 of 2 was killed by signal 9 (SIGKILL)" in text for text in notices)
    assert rank_processes() == {}
    assert list((tmp_path / "tmp").iterdir()) == []
    assert psutil.Process().num_fds() <= descriptors
    names = {path.name for path in set(Path("/dev/shm").iterdir()) - shared}
    assert not [name for name in names if name.startswith(("torch_", "sem.", "nccl-"))]


def test_h01_without_restarts_the_record_says_which_rank_was_killed(pictures, tmp_path):
    killer = AtStep(2, lambda: rank_processes()[1].kill())
    with pytest.raises(WorkerLostError, match="Rank 1 of 2 was killed by signal 9"):
        train_two(pictures, tmp_path / "run", on_event=killer)
    run = RunDirectory(tmp_path / "run")
    assert run.read().state == "failed"
    error = json.loads(run.error.read_text(encoding="utf-8"))
    assert (error["type"], error["details"]["rank"]) == ("WorkerLostError", 1)


def test_h02_a_stopped_rank_is_found_and_stacks_are_in_the_logs(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_RANK_TIMEOUT_S", "20")  # longer than torch's imports
    stopper = AtStep(2, lambda: rank_processes()[0].suspend())
    with pytest.raises(WorkerLostError, match="Rank 0 of 2 did not go on"):
        train_two(pictures, tmp_path / "run", on_event=stopper)
    assert rank_processes() == {}
    log = RunDirectory(tmp_path / "run").log.read_text(encoding="utf-8")
    assert "most recent call first" in log


def test_h14_one_rank_that_is_asked_stops_all_and_the_run_goes_on_to_equal_weights(
    pictures, quiet, tmp_path
):
    cancel = CancelToken()
    stopper = AtStep(4, lambda: rank_processes()[1].terminate())
    launch = LaunchParams(processes_per_node=2, max_restarts=3)
    with pytest.raises(RunInterruptedError, match="Stopped by SIGTERM at step") as caught:
        train_two(pictures, tmp_path / "run", launch=launch, on_event=stopper, cancel=cancel)
    command = f"imageloom train --resume {tmp_path / 'run'} --max-restarts 3"
    assert str(caught.value).endswith(command)
    assert cancel.reason == "SIGTERM"
    run = RunDirectory(tmp_path / "run")
    assert command in run.log.with_name(LAUNCHER_LOG).read_text(encoding="utf-8")
    assert run.read().state == "interrupted"
    assert weights(resume(run.path).run) == weights(quiet[0].run)


def test_the_error_of_all_ranks_is_the_runs_error_and_is_not_tried_again(pictures, tmp_path):
    run = prepare_run(
        NewRun("tiny", *pictures, tmp_path / "run", params=PARAMS),
        processes=2,
        control=Control(),
    )
    for file in (run / "checkpoints").rglob("*.safetensors"):
        file.write_bytes(b"")
    with pytest.raises(CannotResumeError, match=r"Rank . of 2: .* holds no whole checkpoint"):
        launch_ranks(run, LaunchParams(processes_per_node=2, max_restarts=3), control=Control())
    assert RunDirectory(run).read().state == "failed"
    log = (run / "logs" / "70_mpi_log.txt").read_text(encoding="utf-8")
    assert log.count("Starting 2 ranks") == 1


def test_i06_sigterm_to_the_command_ends_with_143_and_says_how_to_go_on(pictures, tmp_path):
    training, validation = map(str, pictures)
    command = [sys.executable, "-m", "imageloom", "train", "--model", "tiny"]
    command += ["--train", training, "--validation", validation, "--out", str(tmp_path / "run")]
    command += ["--epochs", "200", "--batch-size", "2", "--workers", "0", "--print-frequency", "1"]
    command += ["--patience", "200", "--processes-per-node", "2"]
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env=dict(os.environ))
    events = tmp_path / "run" / "events.jsonl"
    deadline = time.monotonic() + DEADLINE_S
    while not (events.is_file() and events.stat().st_size):
        assert time.monotonic() < deadline
        assert process.poll() is None, (tmp_path / "stderr").read_text(encoding="utf-8")
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=DEADLINE_S) == 143
    assert time.monotonic() - began < 25
    said = (tmp_path / "stderr").read_text(encoding="utf-8")
    assert "imageloom train --resume" in said
    assert RunDirectory(tmp_path / "run").read().state == "interrupted"


def test_a_run_that_somebody_leads_is_left_as_it_is(pictures, tmp_path):
    run = prepare_run(
        NewRun("tiny", *pictures, tmp_path / "run", params=PARAMS, model_params=ModelParams()),
        control=Control(),
    )
    before = RunDirectory(run).read()
    with MeetingPlace(run).leading("process 7 at 10.0.0.4") as leads:
        assert leads
        for launch in (TWO, LaunchParams()):
            with pytest.raises(OutputInUseError, match=r"trained by process 7 at 10\.0\.0\.4"):
                resume(run, launch=launch)
    assert RunDirectory(run).read() == before
    assert not list((run / "logs").glob("70_*"))


def test_the_end_of_a_run_whose_folder_was_deleted_is_not_written(tmp_path):
    run = RunDirectory(tmp_path / "run")
    write_json(run.record, {"state": "running"})

    def lose():
        shutil.rmtree(run.path)
        raise WorkerLostError("Rank 0 of 2 was killed.")

    with pytest.raises(WorkerLostError, match="killed"), recorded(run, tmp_path / "log.txt"):
        lose()
    assert not run.path.exists()


def test_a_machine_that_leaves_does_not_write_the_end_of_a_run_that_goes_on(tmp_path):
    run = RunDirectory(tmp_path)
    write_json(run.record, {"state": "running"})
    with (
        pytest.raises(RunInterruptedError, match="this machine"),
        recorded(run, tmp_path / "log.txt", is_others=lambda: True),
    ):
        raise RunInterruptedError("Stopped by Ctrl+C: this machine no longer takes part.")
    assert run.read().state == "running"
