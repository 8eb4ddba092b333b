"""Training only the classification layer."""

from collections.abc import Callable

from torch import nn

from imageloom.models.architecture import Architecture, head_parameters
from imageloom.models.family import FAMILIES
from imageloom.training.params import TrainParams


def freeze(network: nn.Module, architecture: Architecture, params: TrainParams) -> None:
    """Keep the body's parameters from moving, if the parameters ask for it."""
    if params.freeze == "none":
        return
    head = set(head_parameters(architecture, network))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in head)


def training_mode_setter(
    network: nn.Module, architecture: Architecture, params: TrainParams
) -> Callable[[], None]:
    """Return a function that puts the network into training mode.

    A frozen body stays in evaluation mode, so that its BatchNorm keeps the statistics that its
    weights were trained with.
    """
    if params.freeze == "none":
        return lambda: _train(network)
    heads = FAMILIES.get(architecture.family).head_modules(network)

    def train_heads() -> None:
        network.eval()
        for name in heads:
            network.get_submodule(name).train()

    return train_heads


def _train(network: nn.Module) -> None:
    network.train()
