"""Pictures with a known answer: each of three coloured squares is there or is not."""

import csv

import numpy as np
from PIL import Image

from imageloom.data.convert import convert
from imageloom.data.params import ConvertParams

LABELS = ("blue", "green", "red")
_PLACES = {"red": (0, (2, 2)), "green": (1, (2, 10)), "blue": (2, (10, 6))}
SEVERAL = ConvertParams(labels="several", workers=1)


def write_label_sets(root, count, *, seed=0, size=20):
    """Write pictures and ``labels.csv``, and return the rows; some pictures have no label."""
    root.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        pixels = numbers.integers(60, 120, (size, size, 3))
        names = []
        for name in LABELS:
            channel, (top, left) = _PLACES[name]
            if numbers.random() < 0.4:
                pixels[top : top + 8, left : left + 8, channel] = 250
                names.append(name)
        Image.fromarray(pixels.astype(np.uint8)).save(root / f"{number:03}.png")
        rows.append((f"{number:03}.png", "|".join(names)))
    with (root / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file", "labels"), *rows])
    return rows


def label_set_pictures(root, count, *, seed=0, size=20):
    """Return such pictures as an image directory."""
    write_label_sets(root / "pictures", count, seed=seed, size=size)
    return convert(root / "pictures" / "labels.csv", root / "images", params=SEVERAL)
