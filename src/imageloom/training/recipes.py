"""Published recipes: values that the parameters of a training take where none is given."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from imageloom.params import Value

Recipe = Literal["designer", "finetune", "scratch", "small"]

RECIPES: Final[Mapping[str, Mapping[str, Value]]] = MappingProxyType(
    {
        "designer": {},
        # Kornblith, Shlens, Le 2019, Do Better ImageNet Models Transfer Better?, appendix A.5:
        # Nesterov momentum, cosine without restarts; 0.016 for 256 pictures is within their grid.
        "finetune": {
            "epochs": 20,
            "patience": 20,
            "batch_size": 32,
            "learning_rate": 0.002,
            "learning_rate_decay": "cosine",
            "warmup_epochs": 1.0,
        },
        # Vryniotis 2021, How to Train State-Of-The-Art Models Using TorchVision's Latest
        # Primitives: 0.5 for 8 processes of 128. Without its random erasing, repeated augmentation
        # and mean of weights.
        "scratch": {
            "epochs": 600,
            "patience": 600,
            "batch_size": 128,
            "learning_rate": 0.0625,
            "learning_rate_decay": "cosine",
            "warmup_epochs": 5.0,
            "weight_decay": 2e-5,
            "label_smoothing": 0.1,
            "mixup_alpha": 0.2,
            "cutmix_alpha": 1.0,
            "augmentation": "trivialaugment",
        },
        # Zagoruyko and Komodakis 2016, Wide Residual Networks, section 3, for CIFAR; the cosine is
        # that of Loshchilov and Hutter 2017, SGDR, section 4.1.
        "small": {
            "epochs": 200,
            "patience": 200,
            "batch_size": 128,
            "learning_rate": 0.1,
            "learning_rate_decay": "cosine",
            "weight_decay": 5e-4,
        },
    }
)
"""By name; ``designer`` are the defaults that users of the old designer know."""
