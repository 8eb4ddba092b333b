"""What a model family declares: its variants, its options and how a network is built.

A family is one file in ``imageloom.models.families``. Declaring it imports neither torch nor
torchvision: the functions below do that when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imageloom.events import Control
from imageloom.models.params import ModelParams
from imageloom.preprocessing import IMAGENET_NORMALISATION, Normalisation
from imageloom.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Variant:
    """One network of a family.

    Attributes:
        name: What a user types: ``resnet18``, ``timm/convnext_tiny``.
        title: What a person reads: ``ResNet-18``.
        help: One sentence on when to choose it.
        num_parameters: Parameters with the 1000 classes of ImageNet and the standard stem, or
            None where that is known only once it is built.
    """

    name: str
    title: str
    help: str
    num_parameters: int | None = None


@dataclass(frozen=True)
class PublishedWeights:
    """Weights that were published for one variant, before anything is fetched.

    Attributes:
        name: Full name for the model's record: ``ResNet18_Weights.IMAGENET1K_V1``.
        normalisation: What those weights expect of their input.
        load: Returns the whole state dict, head included, from the local cache or the network.
            Raises FailedToDownloadFilesError.
    """

    name: str
    normalisation: Normalisation
    load: Callable[[Control], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Family:
    """A kind of network that comes in several sizes.

    Attributes:
        name: Name in JSON and in Python: ``resnet``.
        title: What a person reads.
        help: One or two sentences.
        source: The paper or library it comes from.
        variants: All networks of the family; a few well-known ones where ``find`` knows more.
        default_variant: What a form shows first.
        options: Fields of ``ModelParams`` that change this family's networks.
        build: Makes a network in training mode, float32, whose random weights come from torch's
            global generator. Takes the variant's name, the parameters and the number of classes;
            honours ``with torch.device(...)``.
        head_modules: Names of the modules that turn features into one number per class.
        published: Says which weights are published for a variant; raises ParameterError if none.
        torch_code: Python lines that make the same network, in training mode, as ``network``.
            Takes what ``build`` takes.
        current_key: Returns today's name of a weight in an old published file.
        find: For a family with too many variants to list: returns the variant with this name,
            which starts with the family's name and a slash, or raises UnknownNameError.
        layers: Returns the number of each parameter's layer by the parameter's name, from 0 at the
            pictures to the classification layer without a gap, for ``layer_decay``; None where
            networks of the family have no such order.
        normalisation: What networks with random weights expect of their input.
        state_is_complete: Whether the state dict is all that a network holds, so that one built
            without memory can be filled from it.
    """

    name: str
    title: str
    help: str
    source: str
    variants: tuple[Variant, ...]
    default_variant: str
    options: tuple[str, ...]
    build: Callable[[str, ModelParams, int], nn.Module]
    head_modules: Callable[[nn.Module], tuple[str, ...]]
    published: Callable[[str], PublishedWeights]
    torch_code: Callable[[str, ModelParams, int], str]
    current_key: Callable[[str], str] = str
    find: Callable[[str], Variant] | None = None
    layers: Callable[[nn.Module], Mapping[str, int]] | None = None
    normalisation: Normalisation = IMAGENET_NORMALISATION
    state_is_complete: bool = True


def layers_by_prefix(network: nn.Module, *prefixes: tuple[str, ...]) -> dict[str, int]:
    """Return the number of each parameter's layer by the parameter's name.

    Args:
        network: Whose parameters.
        prefixes: How names in each layer begin, the one at the pictures first; the last layer has
            what fits none of them.
    """
    return {
        name: next(
            (number for number, begins in enumerate(prefixes) if name.startswith(begins)),
            len(prefixes),
        )
        for name, _ in network.named_parameters()
    }


FAMILIES: Registry[Family] = Registry("model family")
