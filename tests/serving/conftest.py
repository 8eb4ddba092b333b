"""A small real model that answers at a real port, for all tests of this folder."""

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imageloom.events import CancelToken, Control, ignore_events
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import TrainedModel, save_trained
from imageloom.models.params import ModelParams
from imageloom.preprocessing import (
    IMAGENET_NORMALISATION,
    CenterCrop,
    Preprocessing,
    Resize,
)
from imageloom.server.site import NetworkPlace
from imageloom.serving.params import ServeParams
from imageloom.serving.serve import ServingSetup, serving

CLASSES = ("red", "green", "blue")
ANYWHERE = NetworkPlace("127.0.0.1", 0)


@dataclass
class Running:
    """A server of this process."""

    address: str
    model: Path
    pictures: Path
    ready: object

    @property
    def files(self):
        return [one.read_bytes() for one in sorted(self.pictures.iterdir())]


@contextlib.contextmanager
def running(setup, pictures=None):
    cancel = CancelToken()
    control = Control(ignore_events, cancel)
    with serving(setup, control) as ready:
        thread = threading.Thread(target=ready.run, args=(control,))
        thread.start()
        try:
            yield Running(ready.address, setup.model, pictures, ready)
        finally:
            cancel.set("the test")
            thread.join()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("serving") / "flowers"
    architecture = resolve_architecture("timm/test_resnet", ModelParams())
    torch.manual_seed(1)
    network = build_network(architecture, len(CLASSES))
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 32, 32))  # BatchNorm then has seen a batch
    transforms = (Resize(size=40), CenterCrop(size=32))
    preprocessing = Preprocessing(transforms=transforms, normalisation=IMAGENET_NORMALISATION)
    save_trained(out, TrainedModel(architecture, CLASSES, preprocessing, network.eval()))
    return out


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """19 pictures: no multiple of anything that a library likes."""
    folder = tmp_path_factory.mktemp("serving-pictures")
    draw = np.random.default_rng(1)
    for number in range(19):
        coarse = draw.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((80, 60), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:02}.{'png' if number % 2 else 'jpg'}")
    return folder


@pytest.fixture(scope="session")
def server(model, pictures):
    params = ServeParams(device="cpu", decoders=1, most_body_mib=2, batch_size=8)
    with running(ServingSetup(model, ANYWHERE, params=params), pictures) as started:
        yield started
