"""State dicts: what a network's must hold, and whether one that was found does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from imageloom.errors import ImageloomError
from imageloom.models.architecture import Architecture, build_network, head_parameters
from imageloom.models.family import FAMILIES
from imageloom.models.shapes_only import shapes_only
from imageloom.system.wording import some

State = dict[str, torch.Tensor]
_SHOWN = 3


@dataclass(frozen=True)
class ExpectedState:
    """What the state dict of a network holds.

    Attributes:
        tensors: Tensors without memory (device ``meta``) by name; shape and dtype count.
        head: Names that depend on the number of classes.
    """

    tensors: Mapping[str, torch.Tensor]
    head: tuple[str, ...]

    @property
    def num_bytes(self) -> int:
        """Size of all tensors together."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())

    def without_head(self) -> "ExpectedState":
        """Return the body's part."""
        body = {name: tensor for name, tensor in self.tensors.items() if name not in self.head}
        return ExpectedState(tensors=body, head=())


def expected_state(architecture: Architecture, num_classes: int) -> ExpectedState:
    """Return what a network's state dict must hold; takes no memory for any number of classes."""
    with shapes_only():
        network = build_network(architecture, num_classes)
    head = head_parameters(architecture, network)
    return ExpectedState(tensors=network.state_dict(), head=head)


def check_state(
    found: Mapping[str, torch.Tensor],
    expected: ExpectedState,
    where: Path | str,
    error: type[ImageloomError],
) -> None:
    """Refuse tensors that are not exactly what a network needs.

    Args:
        found: Tensors by name, from a file that may come from a stranger.
        expected: What the network needs.
        where: The file, or what the weights are, for the message.
        error: Class to raise.

    Raises:
        ImageloomError: Of class ``error``: names are missing or too many, a shape or type differs,
            or a value is not finite. The message names the first three.
    """
    problems = differences(found, expected.tensors)
    problems = problems or _named("has values that are not finite in", not_finite(found))
    if problems:
        missing = [name for name in expected.tensors if name not in found]
        extra = [name for name in found if name not in expected.tensors]
        raise error(
            f"{where} does not fit the network: it {' and '.join(problems)}.",
            hint="Was it made for another network, or for other options of this one?",
            reason="weights-do-not-fit",
            details={"missing": missing[:_SHOWN], "unexpected": extra[:_SHOWN]},
        )


def differences(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> list[str]:
    """Return in what names, shapes or types tensors differ from those that are wanted, in words."""
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if missing or extra:
        return _named("lacks", missing) + _named("has unexpected", extra)
    pairs = [(name, found[name], tensor) for name, tensor in wanted.items()]
    return _named(
        "has other shapes:", [_shapes(*pair) for pair in pairs if _shapes(*pair)]
    ) or _named("has other types:", [_types(*pair) for pair in pairs if _types(*pair)])


def not_finite(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Return the names of tensors with a value that is infinite or not a number."""
    return [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]


def network_from_state(architecture: Architecture, num_classes: int, state: State) -> nn.Module:
    """Return a network filled with checked tensors, float32, on the CPU, in evaluation mode.

    The tensors become the network's own. Torch's random generator is left as it was, so that
    loading a model does not change what is drawn after it.
    """
    if FAMILIES.get(architecture.family).state_is_complete:
        with shapes_only():
            network = build_network(architecture, num_classes)
        network.load_state_dict(state, assign=True)
    else:
        with torch.random.fork_rng(devices=[]):
            network = build_network(architecture, num_classes)
        network.load_state_dict(state)
    return network.eval()


def _named(what: str, names: list[str]) -> list[str]:
    return [f"{what} {some(names)}"] if names else []


def _shapes(name: str, found: torch.Tensor, wanted: torch.Tensor) -> str:
    if found.shape == wanted.shape:
        return ""
    return f"{name} is {list(found.shape)} and must be {list(wanted.shape)}"


def _types(name: str, found: torch.Tensor, wanted: torch.Tensor) -> str:
    return "" if found.dtype == wanted.dtype else f"{name} is {found.dtype} not {wanted.dtype}"
