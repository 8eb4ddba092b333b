"""Parameters of a network before training: where its weights start and how it is built."""

from typing import Final, Literal

from imageloom.params import Params, parameter

Stem = Literal["standard", "small"]

RANDOM_WEIGHTS: Final = "none"
PUBLISHED_WEIGHTS: Final = "imagenet"


class ModelParams(Params):
    """How a network is made. An option that a family does not have must keep its default."""

    weights: str = parameter(
        RANDOM_WEIGHTS,
        help="What training starts from: 'none' for random weights, 'imagenet' for the weights "
        "published for the network, or the path of a .safetensors or .pth file or of a trained "
        "model.",
    )
    stem: Stem = parameter(
        "standard",
        help="First layers: 'standard' shrinks pictures to a quarter at once; 'small' keeps their "
        "size, for pictures of 32 to 64 pixels. ResNet and DenseNet.",
    )
    zero_init_residual: bool = parameter(
        False,
        help="Start each residual branch at zero, which helps long trainings a little. ResNet.",
    )
    memory_efficient: bool = parameter(
        False,
        help="Compute some layers again in the backward pass: less memory, slower. DenseNet.",
    )
    dropout: float = parameter(
        0.0,
        help="Share of the classification layer's inputs set to zero while training.",
        ge=0,
        lt=1,
    )
