"""The guide's snippets that open a trained model in plain torchvision and timm, as they stand."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imageloom.models.model_directory import load_trained, save_trained
from imageloom.preprocessing import CenterCrop, Normalisation, Preprocessing, Resize
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.predict import predict

from .made_models import make_trained

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "models.md"
PREPROCESSING = Preprocessing(
    transforms=(Resize(size=256), CenterCrop(size=224)),
    normalisation=Normalisation(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)),
)


@pytest.fixture(scope="module")
def snippets():
    """The snippet of each network by its name, and the one that prepares a picture."""
    section = GUIDE.read_text("utf-8").split("\n## Without Imageloom\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    return {
        "resnet18": blocks[0],
        "densenet121": blocks[1],
        "timm/efficientnet_b0": blocks[2],
        "prepare": blocks[3],
    }


def save_run(folder, name):
    model = make_trained(name, classes=("ants", "bees"))
    save_trained(folder / "run" / "model", dataclasses.replace(model, preprocessing=PREPROCESSING))


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "timm/efficientnet_b0"])
def test_four_lines_of_plain_torch_give_the_same_logits(tmp_path, monkeypatch, snippets, name):
    if name.startswith("timm/"):
        pytest.importorskip("timm")
    save_run(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    scope = {}
    assert len([line for line in snippets[name].splitlines() if line]) == 4
    exec(compile(snippets[name], str(GUIDE), "exec"), scope)
    images_BCHW = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    ours = load_trained(tmp_path / "run" / "model").network
    with torch.inference_mode():
        assert torch.equal(scope["network"](images_BCHW), ours(images_BCHW))


def test_a_picture_prepared_in_plain_torchvision_gets_the_same_probabilities(
    tmp_path, monkeypatch, snippets
):
    save_run(tmp_path, "resnet18")
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((400, 300)).save(tmp_path / "ant.jpg")
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(compile(snippets["resnet18"] + snippets["prepare"], str(GUIDE), "exec"), scope)
    (found,) = predict(
        tmp_path / "run" / "model", [tmp_path / "ant.jpg"], params=ScoreParams(device="cpu")
    )
    ours = dict(zip(found.classes, found.probabilities, strict=True))
    assert scope["probabilities"] == pytest.approx(ours, abs=1e-5)
    assert ours["ants"] not in (0, 1)  # or any two would agree
