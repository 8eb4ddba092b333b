"""Small real models: timm's own test networks have 0.4 million parameters and load in no time."""

import torch

from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import TrainedModel
from imageloom.models.params import ModelParams
from imageloom.models.record import DataFacts
from imageloom.preprocessing import CenterCrop, Normalisation, Preprocessing, Resize

CLASSES = ("007", "NA", "café <b>")


def make_trained(name="timm/test_resnet", classes=CLASSES, seed=1, **options) -> TrainedModel:
    """Return a model whose weights and BatchNorm statistics are random."""
    architecture = resolve_architecture(name, ModelParams(**options))
    torch.manual_seed(seed)
    network = build_network(architecture, len(classes))
    for buffer in network.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    return TrainedModel(
        architecture=architecture,
        classes=tuple(classes),
        preprocessing=Preprocessing(
            transforms=(Resize(size=36), CenterCrop(size=32)),
            normalisation=Normalisation(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)),
        ),
        network=network.eval(),
        parameters={"epochs": 5, "learning_rate": 0.001, "optimizer": "sgd"},
        metrics={"Valid loss": 0.25, "Top-1 validation accuracy": 0.9375},
        data={"training": DataFacts(digest="ab" * 32, images=30, images_per_class={"007": 10})},
    )
