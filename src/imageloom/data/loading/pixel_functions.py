"""torchvision's functions that change pixels, imported here for all who call them."""

from imageloom.system.without_compiler import without_compiler

with without_compiler():
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as F

__all__ = ["F", "InterpolationMode"]
