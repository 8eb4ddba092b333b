"""A network and pictures so small that what is measured is everything around them."""

import hashlib

import numpy as np
from PIL import Image
from torch import nn

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import IndexRow, index_from_rows
from imageloom.models.family import FAMILIES, Family, Variant

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
SIZE = 8


def build(variant, params, num_classes):
    norm = nn.Identity() if variant == "tiny_plain" else nn.BatchNorm2d(4)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2),
        norm,
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(params.dropout),
        nn.Linear(16, num_classes),
    )


FAMILIES.declare(
    "tiny",
    Family(
        name="tiny",
        title="Tiny",
        help="One convolution.",
        source="none",
        variants=(
            Variant("tiny", "Tiny", "With BatchNorm."),
            Variant("tiny_plain", "Tiny plain", "Without."),
        ),
        default_variant="tiny",
        options=("dropout",),
        build=build,
        head_modules=lambda _network: ("6",),
        published=lambda _variant: None,
        torch_code=lambda *_: "network = None",
    ),
)


def tiny_pictures(root, per_class, seed):
    """Write noisy pictures of one colour per class, and return them."""
    generator = np.random.default_rng(seed)
    rows = []
    for label, (name, colour) in enumerate(COLOURS.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            path = root / name / f"{number:03d}.png"
            noise = generator.integers(-60, 60, (SIZE, SIZE, 3))
            Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(path)
            content = path.read_bytes()
            digest = hashlib.sha256(content).digest()
            place = f"{name}/{number:03d}.png".encode()
            rows.append(IndexRow(place, label, SIZE, SIZE, 1, "PNG", len(content), digest))
    return ImageDirectory(classes=tuple(COLOURS), index=index_from_rows(rows), root=root)
