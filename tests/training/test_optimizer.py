import pytest
import torch
from torch import nn

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
