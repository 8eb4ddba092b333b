"""The ResNet family: ResNet, ResNeXt and Wide ResNet, built by torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from imageloom.models.family import FAMILIES, Family, Variant, layers_by_prefix
from imageloom.models.params import ModelParams
from imageloom.models.torchvision_weights import torchvision_weights
from imageloom.system.without_compiler import without_compiler

if TYPE_CHECKING:
    from torch import nn
    from torchvision.models import ResNet


def build(variant: str, params: ModelParams, num_classes: int) -> ResNet:
    """Return torchvision's network with the stem and head that the parameters ask for."""
    from torch import nn

    with without_compiler():
        from torchvision.models import get_model

    from imageloom.models.layers import DropoutLinear

    network = cast(
        "ResNet",
        get_model(
            variant,
            weights=None,
            num_classes=num_classes,
            zero_init_residual=params.zero_init_residual,
        ),
    )
    if params.stem == "small":
        # He et al. 2015, section 4.2 (CIFAR-10): 3x3, stride 1, no pooling. Initialised as
        # torchvision initialises every other convolution of the network.
        convolution = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        network.conv1 = convolution
        network.maxpool = nn.Identity()
    if params.dropout > 0:
        features = network.fc.in_features
        network.fc = DropoutLinear(features, num_classes, dropout=params.dropout)
    return network


def layers(network: nn.Module) -> dict[str, int]:
    """Number the stem, the four stages and the classification layer."""
    stages = [(f"layer{stage}.",) for stage in range(1, 5)]
    return layers_by_prefix(network, ("conv1.", "bn1."), *stages)


def torch_code(variant: str, params: ModelParams, num_classes: int) -> str:
    """Return lines that build the same network from torchvision alone."""
    lines = [
        "import torch",
        "import torchvision",
        f"network = torchvision.models.{variant}(num_classes={num_classes})",
    ]
    if params.stem == "small":
        lines += [
            "network.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)",
            "network.maxpool = torch.nn.Identity()",
        ]
    return "\n".join(lines)


FAMILIES.declare(
    "resnet",
    Family(
        name="resnet",
        title="ResNet",
        help="Networks with shortcuts around every block: a safe and fast first choice.",
        source="He et al. 2015, Deep Residual Learning; Xie et al. 2017 (ResNeXt); "
        "Zagoruyko and Komodakis 2016 (Wide ResNet)",
        variants=(
            Variant(
                "resnet18",
                "ResNet-18",
                "Small and quick: for a first try, a CPU, or a few thousand pictures.",
                11_689_512,
            ),
            Variant("resnet34", "ResNet-34", "Twice as deep as ResNet-18.", 21_797_672),
            Variant(
                "resnet50", "ResNet-50", "The usual choice on a GPU; widely compared.", 25_557_032
            ),
            Variant("resnet101", "ResNet-101", "Deeper, for large data.", 44_549_160),
            Variant("resnet152", "ResNet-152", "The deepest; slow to train.", 60_192_808),
            Variant(
                "resnext50_32x4d",
                "ResNeXt-50 32x4d",
                "As large as ResNet-50 and a little more accurate, somewhat slower.",
                25_028_904,
            ),
            Variant(
                "resnext101_32x8d",
                "ResNeXt-101 32x8d",
                "Large and accurate; needs a GPU.",
                88_791_336,
            ),
            Variant(
                "wide_resnet50_2",
                "Wide ResNet-50-2",
                "ResNet-50 with twice as many channels inside its blocks.",
                68_883_240,
            ),
            Variant(
                "wide_resnet101_2",
                "Wide ResNet-101-2",
                "The largest of the family; needs a GPU with much memory.",
                126_886_696,
            ),
        ),
        default_variant="resnext101_32x8d",
        options=("stem", "zero_init_residual", "dropout"),
        build=build,
        head_modules=lambda _network: ("fc",),
        published=torchvision_weights,
        torch_code=torch_code,
        layers=layers,
    ),
)
