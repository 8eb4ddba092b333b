"""Runs on two real processes: their numbers, how they stop, and how they go on."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import TINY
from safetensors.torch import load_file

from imageloom.data.loading.loader import BatchKey, PictureLoader, sequential_batches
from imageloom.distributed.group import Group
from imageloom.errors import LessThanOrEqualToError, ParameterParsingError
from imageloom.events import Control
from imageloom.metrics import ScoreSums, score_sums
from imageloom.models.compute import Compute, choose_compute
from imageloom.models.model_directory import load_trained
from imageloom.models.params import ModelParams
from imageloom.scoring.inference import predict_batches
from imageloom.training.assemble import agreed_compute
from imageloom.training.micro_batch import MicroBatch
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.train import NewRun, continue_run, prepare_run, read_result

from .made_steps import network_and_pictures, stepper_of
from .rank_processes import CONTINUE_RUN, continue_on_ranks, end_ranks, start_ranks

pytestmark = pytest.mark.slow
PARAMS = TrainParams(
    epochs=2, batch_size=4, learning_rate=0.001, precision="float32", print_frequency=1, workers=0
)
LOSSES = ("Train loss", "Valid loss")


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=8, size=16), make_pictures(per_class=7, size=16, seed=1)


@pytest.fixture(scope="module")
def prepare(pictures, tmp_path_factory):
    """Return a function that prepares a run on small pictures."""

    def prepare(*, processes=2, params=PARAMS, dropout=0.0, training=pictures[0]):
        out = tmp_path_factory.mktemp("ranks") / "run"
        model_params = ModelParams(dropout=dropout)
        return prepare_run(
            NewRun(TINY, training, pictures[1], out, params=params, model_params=model_params),
            processes=processes,
            control=Control(),
        )

    return prepare


@pytest.fixture(scope="module")
def quiet_run(prepare):
    """A run of two processes that nothing disturbs."""
    run = prepare()
    assert continue_on_ranks(run) == ([0, 0], ["", ""])
    return run


def weights(run):
    return (run / "model" / "weights.safetensors").read_bytes()


def metrics(run, name):
    return [one.value for one in read_metrics(run / "events.jsonl") if one.name == name]


def test_a_run_of_two_says_what_it_made_of_batch_size_and_learning_rate(quiet_run):
    run = RunDirectory(quiet_run)
    record = run.read()
    assert record.state == "completed"
    assert record.processes == 2
    assert record.resolved.images_per_step == 8
    assert record.resolved.learning_rate == 0.002
    assert metrics(quiet_run, "learning rate")[0] == 0.002
    text = run.log.read_text()
    assert "2 processes on cpu. Pictures per batch: 4 x 2 = 8." in text
    assert "Learning rate: 0.002 = 0.001 x 2." in text
    assert "Epoch 2 of 2" in (quiet_run / "logs" / "70_driver_log_1.txt").read_text()
    assert read_result(quiet_run).epochs == 2
    assert len(metrics(quiet_run, "Valid loss")) == 2  # written once, not once per process


def test_h13_one_process_takes_the_steps_that_two_took(quiet_run, prepare):
    run = prepare()
    continue_run(run, control=Control())
    # BatchNorm included: one process passes through the network what each of two did.
    found, expected = metrics(run, "Train loss"), metrics(quiet_run, "Train loss")
    assert found == pytest.approx(expected, abs=1e-6, rel=0)
    assert metrics(run, "learning rate") == metrics(quiet_run, "learning rate")


def test_h06_validation_over_two_processes_equals_one_to_the_last_bit(quiet_run, pictures):
    model, validation = load_trained(quiet_run / "model"), pictures[1]
    compute = choose_compute("cpu", "float32")
    preprocessing = model.preprocessing
    loader = PictureLoader(validation, preprocessing.transforms, seed=0)
    keys = [BatchKey(0, tuple(rows)) for rows in sequential_batches(len(validation), 8)]
    assert len(keys) == 3  # an odd number, so that one process has nothing in the last round
    network = compute.place(model.network)
    sums = ScoreSums()
    for batch, logits in predict_batches(
        network, loader.batches(keys), compute, preprocessing.normalisation
    ):
        sums += score_sums(logits, batch.labels_B)
    best = read_result(quiet_run).best_epoch
    assert sums.mean_loss == metrics(quiet_run, "Valid loss")[best - 1]
    assert sums.top1_fraction == metrics(quiet_run, "Top-1 validation accuracy")[best - 1]


@pytest.mark.parametrize("rank", [0, 1])
def test_h14_a_signal_to_one_of_two_stops_both_and_resuming_equals_never_having_stopped(
    prepare, dropout_run, rank
):
    run = prepare(dropout=0.5)
    extra = f"at_step({rank}, 2, lambda: cancel.set('SIGTERM'))"
    statuses, errors = continue_on_ranks(run, extra=extra)
    assert statuses == [143, 143]
    assert all("Stopped by SIGTERM at step 2 in epoch 1" in error for error in errors)
    assert RunDirectory(run).read().state == "interrupted"
    assert continue_on_ranks(run) == ([0, 0], ["", ""])
    assert weights(run) == weights(dropout_run)
    for name in LOSSES:
        assert metrics(run, name) == metrics(dropout_run, name), name


@pytest.fixture(scope="module")
def dropout_run(prepare):
    """A run of two processes that draw random numbers while they train."""
    run = prepare(dropout=0.5)
    assert continue_on_ranks(run) == ([0, 0], ["", ""])
    return run


def test_h13_a_run_of_two_goes_on_with_one(prepare, quiet_run):
    run = prepare()
    extra = "at_step(1, 2, lambda: cancel.set('SIGTERM'))"
    assert continue_on_ranks(run, extra=extra)[0] == [143, 143]
    continue_run(run, control=Control())
    found, expected = metrics(run, "Train loss"), metrics(quiet_run, "Train loss")
    assert found == pytest.approx(expected, abs=1e-6, rel=0)
    assert "The run began with 2 processes" in RunDirectory(run).log.read_text()


def test_h13_h05_a_run_of_one_goes_on_with_two_in_unequal_parts(prepare):
    # A frozen body's BatchNorm does not look at the batch, so all numbers must agree. Batches of 7
    # are cut into 3 and 4; the last has 3 of the 24 pictures, and none for the second process.
    params = PARAMS.replace(freeze="body", batch_size=7, class_weights="balanced")
    one, two = prepare(processes=1, params=params), prepare(processes=1, params=params)
    continue_run(one, control=Control())
    assert continue_on_ranks(two) == ([0, 0], ["", ""])
    for name in LOSSES:
        assert metrics(two, name) == pytest.approx(metrics(one, name), abs=1e-6, rel=0), name
    trained = [load_file(run / "model" / "weights.safetensors") for run in (one, two)]
    torch.testing.assert_close(trained[1], trained[0], rtol=0, atol=1e-6)


def test_two_processes_share_the_steps_of_balanced_epochs_and_rates_by_layer(prepare, pictures):
    # Of 17 pictures one is blue: it stands in each epoch 5 or 6 times.
    uneven = pictures[0].select(np.arange(17))
    params = PARAMS.replace(sampling="balanced", layer_decay=0.5)
    one, two = (prepare(params=params, training=uneven) for _ in range(2))
    continue_run(one, control=Control())
    assert continue_on_ranks(two) == ([0, 0], ["", ""])
    assert len(metrics(one, "learning rate")) == 2 * 2  # of 8 and of 9 pictures
    found, expected = metrics(two, "Train loss"), metrics(one, "Train loss")
    assert found == pytest.approx(expected, abs=1e-6, rel=0)
    assert "Balanced sampling: an epoch reads 17 pictures" in RunDirectory(two).log.read_text()


def test_f10_a_loss_that_is_not_finite_in_one_process_stops_both_before_the_step(prepare):
    run = prepare()
    extra = """
real = Stepper._backward
def backward(self, batch):
    passed = real(self, batch)
    if ranks.rank == 1 and at[0] == 4:
        passed.loss_and_right[0] = float('nan')
    return passed
at = [0]
def count(): at[0] += 1
norm = Stepper._gradient_norm
Stepper._gradient_norm = lambda self: (count(), norm(self))[1]
Stepper._backward = backward
"""
    statuses, errors = continue_on_ranks(run, extra=extra)
    assert statuses == [1, 1]
    expected = "NaNError The loss is NaN in epoch 2 at step 5"
    assert all(error.startswith(expected) for error in errors), errors
    newest = sorted((run / "checkpoints").iterdir())[-1]
    assert newest.name == "step-000000004"
    assert (run / "model").is_dir()  # the first epoch was good


def test_h01_a_process_that_dies_ends_the_other_which_can_go_on(prepare, quiet_run):
    run = prepare()
    extra = "at_step(1, 5, lambda: os.kill(os.getpid(), signal.SIGKILL))"
    statuses, errors = continue_on_ranks(run, extra=extra)
    assert statuses == [1, -signal.SIGKILL]
    assert errors[0].startswith("WorkerLostError Rank 0 of 2 lost another rank")
    assert continue_on_ranks(run) == ([0, 0], ["", ""])
    assert weights(run) == weights(quiet_run)


def test_h02_a_process_that_hangs_is_found_by_the_time_out(prepare):
    extra = "at_step(1, 2, lambda: os.kill(os.getpid(), signal.SIGSTOP))"
    processes = start_ranks(CONTINUE_RUN, prepare(), extra, timeout_s=8)
    try:
        statuses, errors = end_ranks(processes[:1])
        assert statuses == [1]
        assert errors[0].startswith("TimeoutOccuredError Rank 0 of 2 waited 8 s")
    finally:
        os.kill(processes[1].pid, signal.SIGKILL)
        end_ranks(processes[1:])


GRADIENTS = """
import os, sys, torch
from safetensors.torch import save_file
from imageloom.distributed.group import joined_group
from imageloom.distributed.ranks import ranks_from_environment
from imageloom.training.micro_batch import MicroBatch
sys.path.insert(0, sys.argv[2])
from made_steps import PARTS, network_and_pictures, stepper_of

ranks = ranks_from_environment(os.environ)
with joined_group(ranks, torch.device("cpu")) as group:
    network, inputs, labels = network_and_pictures()
    parts = PARTS[ranks.rank]
    batches = [
        MicroBatch(inputs[start:stop], labels[start:stop], (stop - start) / len(labels), last)
        for start, stop, last in parts
    ]
    sums, _ = stepper_of(network, group).take(batches)
    assert sums.images == len(labels), sums
    if ranks.is_first:
        gradients = {name: p.grad.contiguous() for name, p in network.named_parameters()}
        save_file(gradients, sys.argv[1])
"""


def test_two_processes_have_the_gradient_of_one_on_the_joined_batch(tmp_path):
    file = tmp_path / "gradients.safetensors"
    assert end_ranks(start_ranks(GRADIENTS, file, Path(__file__).parent)) == ([0, 0], ["", ""])
    network, inputs, labels = network_and_pictures()
    stepper_of(network).take([MicroBatch(inputs, labels, 1.0)])
    expected = {name: parameter.grad for name, parameter in network.named_parameters()}
    torch.testing.assert_close(load_file(file), expected, rtol=0, atol=1e-6)
    assert np.sqrt(sum(float(value.square().sum()) for value in expected.values())) > 0.1


def test_h07_more_processes_than_pictures_are_refused_with_both_numbers(prepare):
    with pytest.raises(LessThanOrEqualToError, match=r"each of 40 processes.*24 training pictures"):
        prepare(processes=40, params=PARAMS.replace(batch_size=1))
    with pytest.raises(
        LessThanOrEqualToError,
        match=r"makes 26 pictures a step.*24 training pictures.*--batch-size 12 or less",
    ):
        prepare(processes=2, params=PARAMS.replace(batch_size=13))


@pytest.mark.parametrize(("own", "other", "agreed"), [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 0)])
def test_all_processes_compute_in_what_each_of_them_can(monkeypatch, own, other, agreed):
    precisions = ("float32", "bfloat16")
    monkeypatch.setattr(Group, "gather", lambda _, values: [list(values), [float(other)]])
    compute = Compute(device=torch.device("cpu"), precision=precisions[own])
    assert agreed_compute(compute, Group()).precision == precisions[agreed]


def test_one_gpu_for_several_processes_is_refused(prepare, monkeypatch):
    monkeypatch.setattr("imageloom.training.train.choose_compute", lambda *_: None)
    with pytest.raises(ParameterParsingError, match='device is "cuda:0", but 2 processes'):
        prepare(params=PARAMS.replace(device="cuda:0"))
