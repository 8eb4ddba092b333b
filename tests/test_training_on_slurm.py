"""A real training on a real Slurm: two nodes, stopped in the middle, and gone on with."""

import json
import os
import subprocess
import sys

import pytest
from networks import TINY

from imageloom.errors import RunInterruptedError
from imageloom.events import CancelToken, Control, Metric
from imageloom.launch.params import LaunchParams
from imageloom.registry import Registry
from imageloom.remote.check import say_hello
from imageloom.remote.follow_training import earlier_launch, resume_on, train_on
from imageloom.targets.slurm.options import SlurmOptions
from imageloom.targets.slurm.target import SlurmTarget
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun

PARAMS = TrainParams(
    epochs=2, batch_size=2, precision="float32", device="cpu", workers=0, print_frequency=1
)
SMALL = {"epochs": 1, "batch_size": 2, "precision": "float32", "device": "cpu", "workers": 0}
TWO_NODES = LaunchParams(nodes=2)


@pytest.fixture
def pictures(make_pictures, tmp_path):
    make_pictures(per_class=4, classes=("red", "green")).save(tmp_path / "training")
    make_pictures(per_class=2, classes=("red", "green"), seed=1).save(tmp_path / "validation")
    return tmp_path / "training", tmp_path / "validation"


@pytest.mark.slow
def test_two_nodes_train_save_when_asked_to_stop_and_go_on_to_the_end(slurm, pictures, tmp_path):
    options = {"max_nodes": 2, "python": sys.executable, "interface": "lo"}
    target = SlurmTarget("lab", SlurmOptions.parse(options), dict(os.environ))
    targets = Registry("target")
    targets.declare("lab", target)
    cancel, run = CancelToken(), tmp_path / "run"

    def stop_in_the_first_epoch(event):
        if isinstance(event, Metric) and not cancel.is_set:  # set again, it ends the job at once
            cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError, match=r"Stopped by Ctrl\+C at step \d+") as caught:
        train_on(
            target,
            # Of a tiny network all epochs may be over before one hears of the first.
            NewRun("resnet18", *pictures, run, params=PARAMS),
            launch=TWO_NODES,
            control=Control(stop_in_the_first_epoch, cancel=cancel),
        )
    assert caught.value.resume.command.endswith("--target lab")
    result = resume_on(targets, "lab", run, launch=earlier_launch(run), control=Control())
    assert result.epochs == 2
    assert (run / "model" / "weights.safetensors").is_file()
    outer = (run / "job" / "logs" / "70_mpi_log.txt").read_text(encoding="utf-8")
    assert outer.count("on n[1-2], start 1") == 2
    launcher = (run / "logs" / "70_mpi_log.txt").read_text(encoding="utf-8")
    assert "closed the connection" not in launcher, "the other node left by itself"
    logs = {log.name for log in (run / "logs").iterdir()}
    assert {"70_driver_log_0.txt", "70_driver_log_1.txt", "70_mpi_log.txt"} <= logs


@pytest.mark.slow
def test_srun_starts_ranks_of_a_training_that_rank_0_prepares(slurm, pictures, tmp_path):
    training, validation = pictures
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    run = tmp_path / "run"
    words = ["train", f"--model={TINY}", f"--train={training}", f"--validation={validation}"]
    step = ["srun", "--nodes=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    environment = {**os.environ, **slurm.environment}
    done = subprocess.run(
        [*step, sys.executable, "-m", "imageloom", *words, *options, f"--out={run}"],
        # Both nodes of these tests are this machine.
        env=environment | {"IMAGELOOM_INTERFACE": "lo"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Best ") == 1
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert (record["state"], record["processes"]) == ("completed", 2)
    assert (run / "logs" / "70_driver_log_1.txt").is_file()
    assert "srun started the ranks" in (run / "logs" / "70_mpi_log.txt").read_text()
    assert not list(tmp_path.glob(".run.srun*"))


@pytest.mark.slow
def test_a_hello_has_a_rank_on_each_of_two_nodes(slurm, tmp_path):
    options = {"max_nodes": 2, "python": sys.executable, "interface": "lo"}
    greetings = say_hello(
        SlurmTarget("lab", SlurmOptions.parse(options), dict(os.environ)),
        tmp_path / "check",
        timeout_s=250.0,
        control=Control(),
    )
    assert [(one.rank, one.world_size) for one in greetings] == [(0, 2), (1, 2)]
