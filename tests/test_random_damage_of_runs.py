"""Damaged checkpoints, models and records of runs: passed over with the reason, or named errors."""

import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from imageloom.errors import CannotResumeError
from imageloom.metrics import ScoreSums
from imageloom.training.checkpoint import newest_checkpoint, restore_checkpoint, save_checkpoint
from imageloom.training.config import TrainParams
from imageloom.training.early_stop import EarlyStop
from imageloom.training.generators import lent_generators
from imageloom.training.loop_state import LoopState
from imageloom.training.optimizer import make_optimizer

from .damage import QUICK, resealed_copy


def network_and_optimizer(optimizer):
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 2))
    return network, make_optimizer(network, TrainParams(optimizer=optimizer))


def take_step(network, optimizer):
    network(torch.randn(2, 3, 5, 5)).square().sum().backward()
    optimizer.step()


@pytest.fixture(scope="module", params=["sgd", "adamw"])
def checkpoints(request, tmp_path_factory):
    """Two checkpoints, and the kind of their optimizer."""
    folder = tmp_path_factory.mktemp("checkpoints")
    network, optimizer = network_and_optimizer(request.param)
    for step in (1, 2):
        take_step(network, optimizer)
        state = LoopState(
            step=step,
            steps_in_epoch=step,
            sums=ScoreSums(images=2, loss=0.5, top1=1),
            early_stop=EarlyStop(best_loss=0.5, best_epoch=1),
            events_bytes=7,
        )
        save_checkpoint(folder, state, network, optimizer)
    return folder, request.param


@QUICK
@given(data=st.data())
def test_a_damaged_checkpoint_is_restored_or_passed_over_with_its_reason(
    checkpoints, tmp_path, data
):
    source, kind = checkpoints
    folder = tmp_path / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source / "step-000000001", folder / "step-000000001")
    resealed_copy(source / "step-000000002", folder / "step-000000002", data)
    network, optimizer = network_and_optimizer(kind)
    with lent_generators():
        path, state, passed_over = newest_checkpoint(
            folder, lambda path: restore_checkpoint(path, network, optimizer)
        )
        take_step(network, optimizer)
    if path.name == "step-000000001":
        assert state.step == 1
        (sentence,) = passed_over
        assert sentence.startswith("Checkpoint step-000000002 cannot be used: ")
        assert "step-000000002" in sentence.partition(": ")[2]
    else:
        assert (state.step, passed_over) == (2, [])


@QUICK
@given(data=st.data())
def test_where_the_only_checkpoint_is_damaged_nothing_else_than_a_named_error_comes(
    checkpoints, tmp_path, data
):
    source, kind = checkpoints
    resealed_copy(source / "step-000000002", tmp_path / "step-000000002", data)
    network, optimizer = network_and_optimizer(kind)
    with lent_generators():
        try:
            newest_checkpoint(tmp_path, lambda path: restore_checkpoint(path, network, optimizer))
        except CannotResumeError as problem:
            assert "holds no whole checkpoint. Checkpoint step-000000002" in problem.message  # noqa: PT017
