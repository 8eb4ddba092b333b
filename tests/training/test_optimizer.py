import gc
import json
import weakref

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from imageloom.training.checkpoints.optimizer_state import flatten_optimizer, restore_optimizer
from imageloom.training.optimizer import make_optimizer, set_rate
from imageloom.training.params import TrainParams


def small_network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def decay_by_name(network, params):
    optimizer = make_optimizer(network, params)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {
        names[id(parameter)]: group["weight_decay"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def test_norms_and_biases_do_not_decay():
    assert decay_by_name(small_network(), TrainParams(weight_decay=0.5)) == {
        "0.weight": 0.5,
        "0.bias": 0.0,
        "1.weight": 0.0,
        "1.bias": 0.0,
        "3.weight": 0.5,
        "3.bias": 0.0,
    }


def test_a_switch_restores_the_old_rule():
    decays = decay_by_name(small_network(), TrainParams(decay_norm_and_bias=True))
    assert set(decays.values()) == {1e-4}


def test_frozen_parameters_are_left_out():
    network = small_network()
    network[0].requires_grad_(False)
    assert "0.weight" not in decay_by_name(network, TrainParams())


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_the_rate_of_every_group_is_set(name):
    optimizer = make_optimizer(small_network(), TrainParams(optimizer=name))
    set_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


def test_sgd_is_nesterov_with_momentum_as_the_textbook_writes_it():
    weight = nn.Parameter(torch.tensor([[1.0]]))
    network = nn.Module()
    network.weight = weight
    optimizer = make_optimizer(network, TrainParams(weight_decay=0, learning_rate=0.1))
    value, velocity = 1.0, 0.0
    for gradient in (1.0, 0.5, -0.25):
        weight.grad = torch.tensor([[gradient]])
        optimizer.step()
        velocity = 0.9 * velocity + gradient
        value -= 0.1 * (gradient + 0.9 * velocity)
    assert weight.item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_it_moves_weights_as_torchs_plain_loop_also_after_its_state_was_read(name, tmp_path):
    """Channels last in memory, where a fused optimizer must not pair wrong elements."""
    ours, plain = (channels_last_network() for _ in range(2))
    params = TrainParams(optimizer=name, learning_rate=0.05)
    optimizer, reference = make_optimizer(ours, params), plain_optimizer(plain, name)
    file = tmp_path / "optimizer.safetensors"
    for step in range(4):
        if step == 2:
            tensors, groups = flatten_optimizer(optimizer)
            save_file(tensors, file)
            # As a run wrote them whose optimizer was not fused.
            groups = [{**group, "fused": None, "foreach": None} for group in groups]
            optimizer = make_optimizer(ours, params)
            restore_optimizer(optimizer, file, json.loads(json.dumps(groups)))
            assert all(group["fused"] for group in optimizer.param_groups)
        for network, moves in ((ours, optimizer), (plain, reference)):
            moves.zero_grad()
            inputs = torch.rand(2, 8, 9, 9, generator=torch.Generator().manual_seed(step))
            network(inputs.to(memory_format=torch.channels_last)).square().mean().backward()
            moves.step()
    for found, expected in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    for parameter, kept in optimizer.state.items():
        for tensor in kept.values():
            assert tensor.dim() == 0 or tensor.stride() == parameter.stride()


def channels_last_network():
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(8, 6, 3, bias=False), nn.BatchNorm2d(6), nn.Conv2d(6, 4, (2, 3))
    )
    return network.to(memory_format=torch.channels_last)


def plain_optimizer(network, name):
    flat = [p for p in network.parameters() if p.ndim == 1]
    deep = [p for p in network.parameters() if p.ndim > 1]
    groups = [{"params": deep, "weight_decay": 1e-4}, {"params": flat, "weight_decay": 0}]
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=0.05, foreach=False)
    return torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True, foreach=False)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_memory_is_free_as_soon_as_nobody_holds_it(name):
    network = small_network()
    optimizer = make_optimizer(network, TrainParams(optimizer=name))
    network(torch.rand(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    kept = optimizer.state[network[0].weight]
    state = weakref.ref(kept["momentum_buffer" if name == "sgd" else "exp_avg"])
    weight = weakref.ref(network[0].weight)
    gc.disable()
    try:
        del network, optimizer, kept
        assert weight() is None
        assert state() is None
    finally:
        gc.enable()
