"""The DenseNet family, built by torchvision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from imageloom.models.family import FAMILIES, Family, Variant, layers_by_prefix
from imageloom.models.params import ModelParams
from imageloom.models.torchvision_weights import torchvision_weights
from imageloom.system.without_compiler import without_compiler

if TYPE_CHECKING:
    from torch import nn
    from torchvision.models import DenseNet

# Files published before torch forbade points in module names have 'norm.1' where we have 'norm1'.
_OLD_KEY = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)$")


def build(variant: str, params: ModelParams, num_classes: int) -> DenseNet:
    """Return torchvision's network with the stem and head that the parameters ask for."""
    from torch import nn

    with without_compiler():
        from torchvision.models import get_model

    from imageloom.models.layers import DropoutLinear

    network = cast(
        "DenseNet",
        get_model(
            variant,
            weights=None,
            num_classes=num_classes,
            memory_efficient=params.memory_efficient,
        ),
    )
    if params.stem == "small":
        # Huang et al. 2017, section 3 (CIFAR): 3x3, stride 1, no pooling. Initialised as
        # torchvision initialises every other convolution of the network.
        channels = network.features.conv0.out_channels
        convolution = nn.Conv2d(3, channels, kernel_size=3, stride=1, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight)
        network.features.conv0 = convolution
        network.features.pool0 = nn.Identity()
    if params.dropout > 0:
        features = network.classifier.in_features
        network.classifier = DropoutLinear(features, num_classes, dropout=params.dropout)
        nn.init.zeros_(network.classifier.bias)  # as torchvision's own classifier
    return network


def layers(network: nn.Module) -> dict[str, int]:
    """Number the stem, the four blocks, each with the transition behind it, and the rest."""
    blocks = [
        (f"features.denseblock{block}.", f"features.transition{block}.") for block in range(1, 5)
    ]
    return layers_by_prefix(network, ("features.conv0.", "features.norm0."), *blocks)


def torch_code(variant: str, params: ModelParams, num_classes: int) -> str:
    """Return lines that build the same network from torchvision alone."""
    lines = [
        "import torch",
        "import torchvision",
        f"network = torchvision.models.{variant}(num_classes={num_classes})",
    ]
    if params.stem == "small":
        lines += [
            "channels = network.features.conv0.out_channels",
            "network.features.conv0 = torch.nn.Conv2d(3, channels, 3, padding=1, bias=False)",
            "network.features.pool0 = torch.nn.Identity()",
        ]
    return "\n".join(lines)


def current_key(key: str) -> str:
    """Return today's name of a weight that an old file calls ``...denselayer1.norm.1.weight``."""
    return _OLD_KEY.sub(r"\1\2", key)


FAMILIES.declare(
    "densenet",
    Family(
        name="densenet",
        title="DenseNet",
        help="Networks in which every layer sees all earlier ones: few parameters, more memory.",
        source="Huang et al. 2017, Densely Connected Convolutional Networks",
        variants=(
            Variant(
                "densenet121",
                "DenseNet-121",
                "The smallest: good for little data where ResNet-18 falls short.",
                7_978_856,
            ),
            Variant(
                "densenet161",
                "DenseNet-161",
                "Wider layers; the most accurate with published weights.",
                28_681_000,
            ),
            Variant("densenet169", "DenseNet-169", "Between 121 and 201.", 14_149_480),
            Variant("densenet201", "DenseNet-201", "The deepest; needs a GPU.", 20_013_928),
        ),
        default_variant="densenet201",
        options=("stem", "memory_efficient", "dropout"),
        build=build,
        head_modules=lambda _network: ("classifier",),
        published=torchvision_weights,
        torch_code=torch_code,
        layers=layers,
        current_key=current_key,
    ),
)
