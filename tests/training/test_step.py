import math

import pytest
import torch
from torch import nn

from imageloom.models.compute import Compute
from imageloom.training.micro_batch import MicroBatch
from imageloom.training.step import NonFiniteError, Stepper

CPU = Compute(device=torch.device("cpu"), precision="float32")


def stepper_for(network, rate=0.1, weight=None):
    return Stepper(
        network=network,
        criterion=nn.CrossEntropyLoss(weight=weight),
        optimizer=torch.optim.SGD(network.parameters(), lr=rate),
        compute=CPU,
    )


def linear_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3))


def pictures(count):
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(count, 3, 2, 2, generator=generator),
        torch.randint(0, 3, (count,), generator=generator),
    )


def test_sums_are_those_of_the_batch():
    network = linear_network()
    inputs, labels = pictures(8)
    logits = network(inputs)
    sums, _ = stepper_for(network).take([MicroBatch(inputs, labels, 1.0)])
    expected = nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    assert sums.loss == pytest.approx(expected, rel=1e-6)
    assert sums.top1 == int((logits.argmax(1) == labels).sum())
    assert sums.images == 8


@pytest.mark.parametrize("weighted", [False, True])
def test_accumulated_batches_give_the_gradient_of_the_joined_batch(weighted):
    inputs, labels = pictures(10)
    weight = torch.tensor([0.5, 2.0, 1.0]) if weighted else None
    joined = linear_network()
    stepper_for(joined, weight=weight).take([MicroBatch(inputs, labels, 1.0)])
    parts = [(inputs[:4], labels[:4]), (inputs[4:8], labels[4:8]), (inputs[8:], labels[8:])]
    amounts = [weight[part[1]].sum() if weighted else len(part[1]) for part in parts]
    shares = [float(amount) / float(sum(amounts)) for amount in amounts]
    accumulated = linear_network()
    stepper_for(accumulated, weight=weight).take(
        MicroBatch(*part, share) for part, share in zip(parts, shares, strict=True)
    )
    for one, other in zip(joined.parameters(), accumulated.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_what_a_process_wishes_is_asked_for_when_its_gradients_are_there():
    network = linear_network()

    def wishes():
        return [network[1].weight.grad is not None, False]

    _, wished = stepper_for(network).take([MicroBatch(*pictures(4), 1.0)], wishes)
    assert wished == [True, False]


class Poisoned(nn.Module):
    """A network whose output is not finite, after a BatchNorm that sees the same values."""

    def __init__(self, value):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.linear = nn.Linear(12, 3)
        self.value = value

    def forward(self, inputs):
        return self.linear(self.norm(inputs * self.value).flatten(1))


@pytest.mark.parametrize(("value", "kind"), [(math.nan, "NaN"), (math.inf, "NaN")])
def test_f10_a_loss_that_is_not_finite_changes_nothing(value, kind):
    network = Poisoned(value)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    inputs, labels = pictures(4)
    with pytest.raises(NonFiniteError, match=f"The loss is {kind}"):
        stepper_for(network).take([MicroBatch(inputs, labels, 1.0)])
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_f10_batchnorm_is_put_back_to_the_last_step_that_counted():
    network, batch = Poisoned(1.0), MicroBatch(*pictures(4), 1.0)
    stepper = stepper_for(network)
    for _ in range(2):
        stepper.take([batch])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert before["norm.num_batches_tracked"] == 2
    network.value = math.nan
    with pytest.raises(NonFiniteError, match="The loss is NaN"):
        stepper.take([batch])
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_f10_batchnorm_is_poisoned_by_a_plain_forward_pass():
    network = Poisoned(math.nan)
    network(pictures(4)[0])
    assert network.norm.running_mean.isnan().all()


def test_a_gradient_that_is_not_finite_changes_nothing():
    network = linear_network()
    before = network[1].weight.clone()
    network[1].weight.register_hook(lambda gradient: gradient * math.inf)
    inputs, labels = pictures(4)
    with pytest.raises(NonFiniteError, match=r"The gradient is (NaN|infinite)"):
        stepper_for(network).take([MicroBatch(inputs, labels, 1.0)])
    assert torch.equal(network[1].weight, before)
