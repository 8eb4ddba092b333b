import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from imageloom.training.weight_average import WeightAverage

SLOW = 10**6  # steps after which the beginning plays no part


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))


def learn(source, seed):
    """Change weights and running statistics as a step does."""
    torch.manual_seed(seed)
    optimizer = torch.optim.SGD(source.parameters(), lr=0.1)
    source.train()(torch.randn(8, 4)).square().sum().backward()
    optimizer.step()


def test_it_is_the_average_of_torch():
    source = network()
    own = WeightAverage(source, 0.9)
    theirs = AveragedModel(source, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    theirs.update_parameters(source)  # the first time it copies
    for seed in range(5):
        learn(source, seed)
        own.update(SLOW)
        theirs.update_parameters(source)
    for name, value in own.network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, theirs.module.state_dict()[name])


def test_at_first_it_follows_quickly():
    source = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(source.weight)
    own = WeightAverage(source, 0.999)
    nn.init.ones_(source.weight)
    own.update(0)  # 9/10 of the new weight
    assert own.network.weight.item() == pytest.approx(0.9)
    own.update(1)  # (1 + 1) / (10 + 1) of what it was
    assert own.network.weight.item() == pytest.approx(0.9 * 2 / 11 + 9 / 11)


def test_the_network_that_learns_is_left_alone():
    source = network()
    own = WeightAverage(source, 0.9)
    learn(source, 1)
    before = copy.deepcopy(source.state_dict())
    own.update(3)
    for name, value in source.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(parameter.requires_grad for parameter in own.network.parameters())
