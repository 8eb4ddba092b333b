"""Networks for tests of what is not the network."""

from typing import Final

# Half a million weights and BatchNorm: a training takes a quarter of the seconds of ResNet-18's,
# which go into its 11 million weights, written at each checkpoint.
TINY: Final = "timm/test_resnet"
