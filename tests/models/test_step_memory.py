"""What a step keeps is counted from shapes; the expected numbers are arithmetic by hand."""

import pytest
import torch
from torch import nn

from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.models.step_memory import values_kept_for_backward


def small():
    with torch.device("meta"):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),  # keeps B x 3 x S x S
            nn.BatchNorm2d(4),  # keeps B x 4 x S x S
            nn.ReLU(inplace=True),
            nn.Conv2d(4, 5, 1),  # keeps what ReLU left, B x 4 x S x S
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(5, 2),  # keeps B x 5
        )


def test_the_input_of_each_layer_that_learns_is_kept_once():
    assert values_kept_for_backward(small(), batch_size=7, input_size=6) == 7 * (11 * 36 + 5)


def test_a_tensor_that_two_layers_take_counts_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = nn.Linear(12, 2), nn.Linear(12, 2)

        def forward(self, images_BCHW):
            flat = images_BCHW.flatten(1)
            return self.one(flat) + self.other(flat)

    with torch.device("meta"):
        network = Twice()
    assert values_kept_for_backward(network, batch_size=5, input_size=2) == 5 * 12


def test_of_a_frozen_body_nothing_is_kept():
    network = small()
    for parameter in list(network.parameters())[:-2]:
        parameter.requires_grad_(False)
    assert values_kept_for_backward(network, batch_size=7, input_size=6) == 7 * 5


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_it_is_never_more_than_what_torch_saves(name):
    with torch.device("meta"):
        network = build_network(resolve_architecture(name, ModelParams()), 2)
    saved = {}

    def see(tensor):
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        network(torch.empty(2, 3, 64, 64, device="meta"))
    of_torch = sum(storage.nbytes() for storage in saved.values())
    weights = sum(4 * one.numel() for one in (*network.parameters(), *network.buffers()))
    kept = 4 * values_kept_for_backward(network, 2, 64)
    # Of the weights a few biases are not among what torch saves.
    assert 0.6 * (of_torch - weights) < kept < of_torch - 0.99 * weights
