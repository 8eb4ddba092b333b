"""A network of random weights as a trained model, and photos of random colours for it."""

import io

import numpy as np
import torch
from PIL import Image

from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import TrainedModel, save_trained
from imageloom.models.params import ModelParams
from imageloom.preprocessing import IMAGENET_NORMALISATION, CenterCrop, Preprocessing, Resize


def save_model(out, name, size=224, num_classes=1000):
    """Write a model directory whose network sees the middle of pictures."""
    torch.manual_seed(1)
    architecture = resolve_architecture(name, ModelParams())
    preprocessing = Preprocessing(
        transforms=(Resize(size=size * 8 // 7), CenterCrop(size=size)),
        normalisation=IMAGENET_NORMALISATION,
    )
    classes = tuple(f"class {number}" for number in range(num_classes))
    network = build_network(architecture, num_classes).eval()
    save_trained(out, TrainedModel(architecture, classes, preprocessing, network))


def made_pictures(count):
    """Yield JPEG files of 500 x 375 pixels."""
    draw = np.random.default_rng(1)
    for _ in range(count):
        coarse = draw.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        file = io.BytesIO()
        picture = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(file, "JPEG", quality=90)
        yield file.getvalue()
