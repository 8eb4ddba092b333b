"""Pictures like photos, no two alike, and copies of them as people come by them."""

import io

import numpy as np
from PIL import Image, ImageEnhance


def scene(seed, size=(160, 120)):
    """Large areas of light and colour with small things and grain on them."""
    generator = np.random.default_rng(seed)
    areas = generator.integers(20, 235, (5, 6, 3)).astype(np.uint8)
    things = generator.integers(-40, 40, (30, 40, 3))
    large = np.asarray(Image.fromarray(areas).resize(size, Image.Resampling.BICUBIC), dtype=int)
    down, across = (np.arange(side) * of // side for side, of in ((size[1], 30), (size[0], 40)))
    small = things[down][:, across]
    grain = generator.normal(0, 4, large.shape)
    return Image.fromarray((large + small + grain).clip(0, 255).astype(np.uint8))


def encoded_anew(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=60)
    return Image.open(io.BytesIO(file.getvalue()))


def resized(image):
    return image.resize((image.width * 3 // 5, image.height * 3 // 5), Image.Resampling.BILINEAR)


def brightened(image):
    return ImageEnhance.Brightness(image).enhance(1.2)


COPIES = (encoded_anew, resized, brightened)
