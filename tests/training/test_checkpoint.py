import json
import random

import numpy as np
import pytest
import torch
from torch import nn

from imageloom.distributed.ranks import Ranks
from imageloom.errors import CannotResumeError, FailedToWriteOutputsError
from imageloom.files.publish import MANIFEST, _write_manifest
from imageloom.metrics import ScoreSums
from imageloom.training.checkpoints import checkpoint
from imageloom.training.checkpoints.checkpoint import (
    newest_checkpoint,
    restore_checkpoint,
    save_checkpoint,
)
from imageloom.training.checkpoints.generator_state import generators_of_process
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.early_stop import EarlyStop
from imageloom.training.optimizer import make_optimizer
from imageloom.training.params import TrainParams


def trained_pair(seed, optimizer="sgd"):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(2))
    network(torch.randn(4, 3, 5, 5))
    optim = make_optimizer(network, TrainParams(optimizer=optimizer))
    for _ in range(2):
        network(torch.randn(4, 3, 5, 5)).square().sum().backward()
        optim.step()
    return network, optim


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_everything_comes_back_bit_for_bit(tmp_path, optimizer):
    network, optim = trained_pair(1, optimizer)
    state = LoopState(
        epoch=2,
        steps_in_epoch=3,
        step=13,
        sums=ScoreSums(images=5, loss=0.1 + 0.2, top1=4),
        early_stop=EarlyStop(best_loss=1 / 3, best_epoch=1, epochs_since_best=1),
        epoch_seconds=1.5,
        events_bytes=77,
    )
    save_checkpoint(tmp_path, state, network, optim)
    expected = draws()
    other, other_optim = trained_pair(2, optimizer)
    path, found, passed_over = newest_checkpoint(tmp_path)
    restore_checkpoint(path, other, other_optim)
    assert draws() == expected
    assert found == LoopState(**{**vars(state)})
    assert passed_over == []
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])
    torch.testing.assert_close(optim.state_dict(), other_optim.state_dict(), rtol=0, atol=0)


def test_each_process_gets_its_own_generators_back(tmp_path):
    network, optim = trained_pair(1)
    torch.manual_seed(5)
    of_second = generators_of_process()
    expected_second = draws()
    torch.manual_seed(6)
    save_checkpoint(tmp_path, LoopState(step=3, steps_in_epoch=3), network, optim, [of_second])
    expected_first = draws()
    path = newest_checkpoint(tmp_path)[0]
    for rank, expected in ((0, expected_first), (1, expected_second)):
        restore_checkpoint(path, network, optim, ranks=Ranks(rank, 2), seed=1)
        assert draws() == expected


def test_h13_on_another_number_of_processes_generators_come_from_seed_rank_and_step(tmp_path):
    network, optim = trained_pair(1)
    for step in (3, 4):
        save_checkpoint(tmp_path, LoopState(step=step, steps_in_epoch=step), network, optim)
    found = []
    for step in ("step-000000003", "step-000000004"):
        for ranks in (Ranks(0, 2), Ranks(1, 2)):
            for seed in (1, -1):
                for _ in range(2):
                    restore_checkpoint(tmp_path / step, network, optim, ranks=ranks, seed=seed)
                    found.append(draws())
    assert found[::2] == found[1::2]
    assert len(set(found)) == 8


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_f14_the_last_two_and_the_best_stay(tmp_path):
    network, optim = trained_pair(1)
    best = "step-000000010-end-of-epoch"
    for epoch in range(1, 6):
        state = LoopState(epoch=epoch, step=10 * epoch, best_checkpoint=best)
        save_checkpoint(tmp_path, state, network, optim)
    assert names(tmp_path) == [best, "step-000000040-end-of-epoch", "step-000000050-end-of-epoch"]


def test_a_full_disk_is_a_named_error_and_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    network, optim = trained_pair(1)
    save_checkpoint(tmp_path, LoopState(step=1), network, optim)
    # A place that cannot be written, as safetensors tells of every failure of the disk.
    monkeypatch.setattr(checkpoint, "_OPTIMIZER", "gone/optimizer.safetensors")
    place = tmp_path / LoopState(step=2).name
    with pytest.raises(
        FailedToWriteOutputsError, match=rf"^{place} could not be written: No such file"
    ):
        save_checkpoint(tmp_path, LoopState(step=2), network, optim)
    assert newest_checkpoint(tmp_path)[1].step == 1


def test_i11_a_damaged_checkpoint_is_passed_over_and_said(tmp_path):
    network, optim = trained_pair(1)
    for step in (1, 2):
        save_checkpoint(tmp_path, LoopState(step=step, steps_in_epoch=step), network, optim)
    file = tmp_path / "step-000000002" / "network.safetensors"
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    path, state, passed_over = newest_checkpoint(tmp_path)
    assert (path.name, state.step) == ("step-000000001", 1)
    assert "step-000000002" in passed_over[0]
    assert "network.safetensors" in passed_over[0]


def reseal(checkpoint):
    (checkpoint / MANIFEST).unlink()
    _write_manifest(checkpoint)


def change_state(checkpoint, **changes):
    file = checkpoint / "state.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    reseal(checkpoint)


def test_a_damaged_checkpoint_that_is_newer_does_not_stop_the_next_from_being_saved(tmp_path):
    network, optim = trained_pair(1)
    for step in (1, 4):
        save_checkpoint(tmp_path, LoopState(step=step, steps_in_epoch=step), network, optim)
    (tmp_path / "step-000000004" / "state.json").write_text("{")
    for step in (2, 3):
        save_checkpoint(tmp_path, LoopState(step=step, steps_in_epoch=step), network, optim)
    assert names(tmp_path) == ["step-000000002", "step-000000003"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": {"step": 1}}, "it is the state of step-000000001"),
        ({"state": {"step": 2, "steps_in_epoch": -1}}, "a count is below 0"),
        ({"state": {"step": "2"}}, "state.step: Input should be a valid integer"),
        ({"state": {"step": 2, "best_checkpoint": "../x"}}, "'../x' is no name of a checkpoint"),
        ({"optimizer": []}, "it is another optimizer's"),
        ({"generators": {"python": [], "numpy": []}}, "generators.python"),
        ({"processes": 0}, "processes: Input should be greater than or equal to 1"),
    ],
)
def test_a_changed_state_whose_manifest_fits_is_passed_over_with_the_reason(
    tmp_path, changes, reason
):
    network, optim = trained_pair(1)
    for step in (1, 2):
        save_checkpoint(tmp_path, LoopState(step=step, steps_in_epoch=step), network, optim)
    change_state(tmp_path / "step-000000002", **changes)
    path, _, passed_over = newest_checkpoint(
        tmp_path, lambda path: restore_checkpoint(path, network, optim)
    )
    assert path.name == "step-000000001"
    assert reason in passed_over[0]


def test_a_checkpoint_of_another_network_is_passed_over_with_the_tensor_that_differs(tmp_path):
    network, optim = trained_pair(1)
    save_checkpoint(tmp_path, LoopState(step=1, steps_in_epoch=1), network, optim)
    save_checkpoint(tmp_path, LoopState(step=2, steps_in_epoch=2), nn.Linear(3, 2), optim)
    path, _, passed_over = newest_checkpoint(
        tmp_path, lambda path: restore_checkpoint(path, network, optim)
    )
    assert path.name == "step-000000001"
    assert "network.safetensors is not as it was written: it lacks 0.weight" in passed_over[0]


def test_i11_no_whole_checkpoint_is_an_error_not_a_fresh_start(tmp_path):
    with pytest.raises(CannotResumeError, match="holds no whole checkpoint"):
        newest_checkpoint(tmp_path)
