"""Trained models: one whose answers can be told in advance, and a small real one."""

import dataclasses

import torch
from torch import nn

from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import TrainedModel
from imageloom.models.params import ModelParams
from imageloom.preprocessing import CenterCrop, Normalisation, Preprocessing, Resize

PLAIN = Normalisation(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class StrongestChannel(nn.Module):
    """The logit of a class is ten times the mean of its channel, 0 to 1; it counts its calls."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.dropout = nn.Dropout(0.9)  # would show if a forward pass were not in evaluation mode

    def forward(self, images_BCHW):
        self.calls += 1
        return 10 * self.dropout(images_BCHW.mean(dim=(2, 3)))


def colour_model(classes=("red", "green", "blue"), network=None, size=32, **more):
    """Return a model for 32-pixel pictures whose classes are the channels, in order."""
    return TrainedModel(
        architecture=resolve_architecture("resnet18", ModelParams()),
        classes=tuple(classes),
        preprocessing=Preprocessing(
            transforms=(Resize(size=size), CenterCrop(size=size)), normalisation=PLAIN
        ),
        network=(network or StrongestChannel()).eval(),
        **more,
    )


def small_network(num_classes=3):
    """Return a network with the layers that could see a picture's neighbours in the batch."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, num_classes),
    )


def real_model(classes=("red", "green", "blue")):
    """Return timm's own test network, with random weights that do not stop at the first layer."""
    architecture = resolve_architecture("timm/test_resnet", ModelParams())
    torch.manual_seed(1)
    network = build_network(architecture, len(classes))
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 32, 32))  # BatchNorm then has seen a batch
    return dataclasses.replace(
        colour_model(classes), architecture=architecture, network=network.eval()
    )
