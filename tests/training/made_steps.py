"""One step of a small network with BatchNorm frozen, whole or in the parts of two processes."""

import torch
from torch import nn

from imageloom.models.compute import choose_compute
from imageloom.training.step import Stepper

# Of 13 pictures the first process takes 5 and 4 in two batches, the second 4 in one.
PARTS = [[(0, 5, False), (5, 9, True)], [(9, 13, True)]]


def network_and_pictures():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8).eval(), nn.ReLU(), nn.Flatten(), nn.Linear(288, 3)
    )
    return network, torch.randn(13, 3, 8, 8), torch.randint(0, 3, (13,))


def stepper_of(network, group=None):
    more = {} if group is None else {"group": group, "reducing": group.wrap(network)}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    compute = choose_compute("cpu", "float32")
    return Stepper(network, nn.CrossEntropyLoss(), optimizer, compute, **more)
