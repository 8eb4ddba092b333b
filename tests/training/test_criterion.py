import math

import pytest
import torch
from torch import nn

from imageloom.models.compute import Compute
from imageloom.training.criterion import FocalLoss, make_criterion
from imageloom.training.params import TrainParams

CPU = Compute(device=torch.device("cpu"), precision="float32")
WEIGHT = torch.tensor([0.5, 2.0, 1.0])


def examples():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(7, 3, generator=generator)
    return logits, torch.randint(0, 3, (7,), generator=generator)


def test_without_gamma_the_loss_is_torchs_own():
    assert type(make_criterion(None, TrainParams(), CPU)) is nn.CrossEntropyLoss
    assert isinstance(make_criterion(None, TrainParams(focal_gamma=2.0), CPU), FocalLoss)


def test_by_hand():
    # Probabilities 3/4 and 1/4: (1 - 3/4)^2 ln(4/3) and (1 - 1/4)^2 ln 4.
    logits = torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])
    found = FocalLoss(None, 0.0, 2.0)(logits, torch.tensor([0, 1]))
    expected = (math.log(4 / 3) / 16 + math.log(4) * 9 / 16) / 2
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_with_almost_no_gamma_it_is_cross_entropy(weight, smoothing):
    logits, labels = examples()
    found = FocalLoss(weight, smoothing, 1e-9)(logits, labels)
    expected = nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing)(logits, labels)
    torch.testing.assert_close(found, expected)


def test_of_two_classes_it_is_torchvisions():
    from torchvision.ops import sigmoid_focal_loss

    logits, labels = torch.randn(9, generator=torch.Generator().manual_seed(3)), torch.arange(9) % 2
    expected = sigmoid_focal_loss(logits, labels.float(), alpha=-1, gamma=2.0, reduction="mean")
    # A sigmoid of x is a softmax of 0 and x.
    two = torch.stack([torch.zeros(9), logits], dim=1)
    torch.testing.assert_close(FocalLoss(None, 0.0, 2.0)(two, labels), expected)


def test_gradients_are_finite_where_a_picture_is_certain():
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    FocalLoss(WEIGHT[:2], 0.1, 0.5)(logits, torch.tensor([0, 0])).backward()
    assert torch.isfinite(logits.grad).all()
