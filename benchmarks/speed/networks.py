"""The networks that are trained, and how plain torch builds them."""

from dataclasses import dataclass

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MIN_SCALE = 0.25  # smallest part of a picture that a random crop takes, in all systems


@dataclass(frozen=True)
class Job:
    """A network with its pictures.

    Attributes:
        network: Its name in torchvision, timm and Imageloom.
        size: Side of its input in pixels.
        batch_size: Pictures per step.
        short_steps: Steps of an epoch where the whole benchmark is to take minutes.
        is_small: Whether the first layers keep the size of the pictures: a convolution of 3 x 3
            without stride, and no pooling (He et al. 2015, section 4.2).
    """

    network: str
    size: int = 224
    batch_size: int = 16
    short_steps: int = 6
    is_small: bool = False


JOBS = {
    "resnet18": Job("resnet18", short_steps=12),
    "resnet50": Job("resnet50"),
    "densenet121": Job("densenet121"),
    "resnet18-small": Job("resnet18", size=32, batch_size=64, short_steps=20, is_small=True),
    # For a GPU, which so few pictures would not fill.
    "resnet50-256": Job("resnet50", batch_size=256),
    "resnet18-small-512": Job("resnet18", size=32, batch_size=512, is_small=True),
}

ON_A_CPU = ("resnet18", "resnet50", "densenet121", "resnet18-small")


def is_faster_in_bfloat16(device):
    """Whether a device of torch is: GPUs that need not emulate it, and CPUs with AMX."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported()


def build(job, num_classes=1000):
    """Return torchvision's network with random weights."""
    import torchvision

    network = torchvision.models.get_model(job.network, weights=None, num_classes=num_classes)
    return with_small_stem(network) if job.is_small else network


def with_small_stem(network):
    """Give a ResNet of torchvision or timm the first layers for small pictures."""
    from torch import nn

    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network
