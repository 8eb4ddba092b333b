"""The network that a training starts from: random weights, earlier ones, or a mix by class."""

from collections.abc import Sequence

import torch
from torch import nn

from imageloom.events import EventSink, Notice, ignore_events
from imageloom.models.architecture import build_network, head_parameters
from imageloom.models.model_directory import UntrainedModel
from imageloom.system.wording import count, some


def initial_network(
    model: UntrainedModel, classes: Sequence[str], *, on_event: EventSink = ignore_events
) -> nn.Module:
    """Return the network that a training starts from: float32, on the CPU, in training mode.

    Random weights come from torch's global generator, which the caller seeds. A head among the
    weights is joined by class name: a class that it knows keeps its part, a new one starts at
    random, one that is no longer there is left out.

    Args:
        model: What to start from.
        classes: Names of the outputs, in order.
        on_event: Told which classes are new and which are left out.
    """
    network = build_network(model.architecture, len(classes))
    if model.weights is None:
        return network
    start = network.state_dict()
    head = head_parameters(model.architecture, network)
    for name, tensor in model.weights.items():
        if name in head:
            _join_rows(start[name], tensor, classes, model.head_classes)
        else:
            start[name].copy_(tensor)
    _tell_classes(classes, model.head_classes, on_event)
    return network.train()


def _join_rows(
    into: torch.Tensor, known: torch.Tensor, classes: Sequence[str], known_classes: Sequence[str]
) -> None:
    """Copy the part of each class that both have; the first dimension counts the classes."""
    row = {name: position for position, name in enumerate(known_classes)}
    for position, name in enumerate(classes):
        if name in row:
            into[position].copy_(known[row[name]])


def _tell_classes(classes: Sequence[str], known: Sequence[str], on_event: EventSink) -> None:
    if not known:
        return
    new = [name for name in classes if name not in set(known)]
    gone = [name for name in known if name not in set(classes)]
    for names, one, many in (
        (new, "class starts at random", "classes start at random"),
        (
            gone,
            "class of the earlier model is left out",
            "classes of the earlier model are left out",
        ),
    ):
        if names:
            shown = some([repr(name) for name in names])
            on_event(Notice("info", f"{count(len(names), one, many)}: {shown}."))
