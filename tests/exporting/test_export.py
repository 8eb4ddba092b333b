"""Exported models score as the model itself does, and one that does not is refused."""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
import torchvision
from made_label_sets import LABELS, label_set_pictures
from networks import TINY
from torchvision.models._api import BUILTIN_MODELS

from imageloom.cli.root import run
from imageloom.data.images.directory import ImageDirectory
from imageloom.errors import (
    EnvironmentUnsuitableError,
    ExportError,
    FailedToWriteOutputsError,
    InvalidModelDirectoryError,
    ParameterParsingError,
)
from imageloom.exporting import classifier
from imageloom.exporting.export import EXPORT_FORMATS, export
from imageloom.exporting.formats import timm as timm_format
from imageloom.exporting.params import ExportParams
from imageloom.launch.train import train
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import TrainedModel, load_trained, save_trained
from imageloom.models.params import ModelParams
from imageloom.preprocessing import (
    CenterCrop,
    Letterbox,
    Normalisation,
    Preprocessing,
    Resize,
    Squash,
)
from imageloom.training.params import TrainParams

FORMATS = EXPORT_FORMATS.names()
SIZE = 32
PREPROCESSING = Preprocessing(
    transforms=(Resize(size=36), CenterCrop(size=SIZE)),
    normalisation=Normalisation(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25)),
)
BATCHES = (1, 3, 16)
PLAIN = ModelParams()


@pytest.fixture(scope="module")
def pictures(make_pictures) -> ImageDirectory:
    return make_pictures(per_class=8, size=40)


def model_of(name, classes, params=PLAIN):
    """Return a network with random weights and statistics as after a training."""
    torch.manual_seed(3)
    architecture = resolve_architecture(name, params)
    network = build_network(architecture, len(classes))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return TrainedModel(architecture, classes, PREPROCESSING, network.eval())


@pytest.fixture(scope="module")
def model(pictures):
    return model_of(TINY, pictures.classes)


@pytest.fixture(scope="module", params=FORMATS)
def exported(request, model, pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param) / "out"
    return export(model, out, pictures, params=ExportParams(to=request.param))


def expected_of(model, images_BCHW):
    """Return probabilities by the definition, in float64."""
    normalisation = model.preprocessing.normalisation
    mean, std = (
        torch.tensor(values, dtype=torch.float64).view(3, 1, 1)
        for values in (normalisation.mean, normalisation.std)
    )
    network = build_network(model.architecture, len(model.classes)).double().eval()
    network.load_state_dict(model.network.state_dict())
    with torch.inference_mode():
        return network((images_BCHW.double() / 255 - mean) / std).softmax(dim=1)


def test_the_record_says_how_equal_it_is(exported, pictures):
    record = json.loads((exported.path / "export.json").read_text())
    assert record["format"] == exported.format
    assert record["classes"] == list(pictures.classes)
    assert record["parity"]["images"] == len(pictures) == 24
    assert record["parity"]["largest_difference"] == exported.parity.largest_difference < 1e-5
    assert record["parity"]["changed"] == 0
    assert record["parity"]["right_before"] == record["parity"]["right_after"]
    assert (exported.path / "MANIFEST.json").is_file()


@pytest.mark.parametrize("batch_size", BATCHES)
def test_an_exported_model_takes_batches_of_any_size(exported, model, batch_size):
    images = torch.randint(0, 256, (batch_size, 3, SIZE, SIZE), dtype=torch.uint8)
    found = EXPORT_FORMATS.get(exported.format).open(model, exported.path)(images)
    torch.testing.assert_close(found.double(), expected_of(model, images), rtol=0, atol=1e-5)


# As the README.md beside the files has it, in a process that cannot import Imageloom.
FOREIGN = {
    "onnx": """
import json, numpy, onnxruntime
session = onnxruntime.InferenceSession(folder + "/model.onnx")
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
(found,) = session.run(None, {"images": images})
""",
    "pt2": """
import json, torch
about = {"imageloom.json": ""}
network = torch.export.load(folder + "/model.pt2", extra_files=about).module()
classes = json.loads(about["imageloom.json"])["classes"]
found = network(torch.from_numpy(images)).detach().numpy()
""",
    "timm": """
import timm, torch
network = timm.create_model("local-dir:" + folder, pretrained=True).eval()
said = network.pretrained_cfg
classes = said["label_names"]
mean, std = (torch.tensor(said[one]).view(3, 1, 1) for one in ("mean", "std"))
values = (torch.from_numpy(images) / 255 - mean) / std
found = network(values).softmax(1).detach().numpy()
""",
}


@pytest.mark.slow
def test_another_program_needs_no_imageloom(exported, model, tmp_path):
    images = torch.randint(0, 256, (2, 3, SIZE, SIZE), dtype=torch.uint8)
    np.save(tmp_path / "images.npy", images.numpy())
    program = "\n".join(
        [
            "import sys, json, numpy",
            "sys.modules['imageloom'] = None",
            "folder, images = sys.argv[1], numpy.load(sys.argv[2])",
            FOREIGN[exported.format],
            "print(json.dumps([list(classes), found.tolist()]))",
        ]
    )
    words = [sys.executable, "-c", program, exported.path, tmp_path / "images.npy"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    classes, found = json.loads(done.stdout.splitlines()[-1])
    assert classes == list(model.classes)
    expected = expected_of(model, images)
    torch.testing.assert_close(torch.tensor(found).double(), expected, rtol=0, atol=1e-5)


def short_densenet(*, weights, num_classes, memory_efficient):
    """Return a DenseNet as torchvision makes them, with 2 layers in each of its 4 blocks."""
    assert weights is None
    return torchvision.models.DenseNet(
        block_config=(2, 2, 2, 2), num_classes=num_classes, memory_efficient=memory_efficient
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
@pytest.mark.parametrize("to", FORMATS)
def test_networks_of_torchvision_go_into_every_format(name, to, pictures, tmp_path, monkeypatch):
    if to != "timm":  # timm has the whole network; a graph of 58 layers takes 13 s of a processor
        monkeypatch.setitem(BUILTIN_MODELS, "densenet121", short_densenet)
    model = model_of(name, pictures.classes)
    done = export(model, tmp_path / "out", pictures, params=ExportParams(to=to))
    assert done.parity.largest_difference < 1e-4
    assert done.parity.changed == 0


class OtherMean(classifier.Classifier):
    def __init__(self, network, normalisation, **more):
        other = normalisation.model_copy(update={"mean": (0.5, 0.5, 0.5)})
        super().__init__(network, other, **more)


class OtherOrder(classifier.Classifier):
    def forward(self, images):
        return super().forward(images).flip(dims=[1])


@pytest.mark.parametrize("spoiled", [OtherMean, OtherOrder])
def test_an_export_that_says_something_else_is_refused_and_nothing_is_written(
    spoiled, model, pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr("imageloom.exporting.traced.Classifier", spoiled)
    with pytest.raises(ExportError, match="of 24 pictures") as found:
        export(model, tmp_path / "out", pictures, params=ExportParams(to="pt2"))
    assert found.value.reason == "differs"
    assert found.value.details["difference"] > found.value.details["bound"] == 1e-4
    assert list(tmp_path.iterdir()) == []


def test_a_larger_difference_can_be_allowed(model, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("imageloom.exporting.traced.Classifier", OtherOrder)
    params = ExportParams(to="pt2", largest_difference=1.0)
    assert export(model, tmp_path / "out", pictures, params=params).parity.largest_difference > 1e-4


def test_a_number_that_is_none_differs_from_every_other(model, pictures, tmp_path, monkeypatch):
    class Broken(classifier.Classifier):
        def forward(self, images):
            return super().forward(images) * float("nan")

    monkeypatch.setattr("imageloom.exporting.traced.Classifier", Broken)
    params = ExportParams(to="pt2", largest_difference=1.0)
    with pytest.raises(ExportError, match="differs by inf"):
        export(model, tmp_path / "out", pictures, params=params)


def test_what_timm_does_not_have_is_refused_with_its_first_other_weight(pictures, tmp_path):
    small = model_of("resnet18", pictures.classes, ModelParams(stem="small"))
    with pytest.raises(ExportError, match=r"conv1.weight is \(64, 3, 7, 7\) there") as found:
        export(small, tmp_path / "out", pictures, params=ExportParams(to="timm"))
    assert "--to onnx" in found.value.hint
    assert found.value.reason == "not-expressible"


def test_a_network_that_no_graph_can_hold_is_a_named_error(model, pictures, tmp_path, monkeypatch):
    class ByValue(classifier.Classifier):
        def forward(self, images):
            if images.sum() > 10:  # what is done depends on the pictures
                return super().forward(images)
            return super().forward(images) + 1

    monkeypatch.setattr("imageloom.exporting.traced.Classifier", ByValue)
    with pytest.raises(ExportError, match="cannot be written as a graph") as found:
        export(model, tmp_path / "out", pictures, params=ExportParams(to="pt2"))
    assert found.value.reason == "not-expressible"


def test_a_run_is_compared_on_the_pictures_that_it_was_validated_on(
    make_pictures, pictures, tmp_path
):
    validation = make_pictures(per_class=2, seed=1, size=40)
    params = TrainParams(epochs=1, batch_size=8, workers=0, device="cpu", image_size=SIZE)
    run = train(TINY, pictures, validation, tmp_path / "run", params=params).run
    done = export(run, tmp_path / "out", params=ExportParams(to="pt2"))
    assert done.parity.images == len(validation) == 6
    record = json.loads((done.path / "export.json").read_text())
    assert record["model_digest"] == load_trained(run / "model").digest
    with pytest.raises(ParameterParsingError, match="no pictures to compare"):
        export(run / "model", tmp_path / "other", params=ExportParams(to="pt2"))
    with pytest.raises(InvalidModelDirectoryError, match="no model"):
        export(tmp_path / "none", tmp_path / "other", params=ExportParams(to="pt2"))


def test_what_is_not_installed_is_named_with_the_extra(model, pictures, tmp_path, monkeypatch):
    def find(name, package=None):
        return None if name == "onnxruntime" else real(name, package)

    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", find)
    with pytest.raises(EnvironmentUnsuitableError, match="needs the package onnxruntime") as found:
        export(model, tmp_path / "out", pictures, params=ExportParams(to="onnx"))
    assert "imageloom[onnx]" in found.value.hint
    with pytest.raises(EnvironmentUnsuitableError):  # said before pictures are looked at
        export(model, tmp_path / "out", tmp_path / "none", params=ExportParams(to="onnx"))


def test_nothing_is_overwritten(model, pictures, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        export(model, tmp_path / "out", pictures)


@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ((Resize(size=256), CenterCrop(size=224)), {"crop_mode": "center", "crop_pct": 0.875}),
        ((Resize(size=32), CenterCrop(size=32)), {"crop_mode": "center", "crop_pct": 1.0}),
        ((Squash(size=224),), {"crop_mode": "squash", "crop_pct": 1.0}),
        ((Letterbox(size=224),), {"crop_mode": "border", "crop_pct": 1.0}),
        ((Squash(size=256), CenterCrop(size=224)), {}),
    ],
)
def test_timm_is_told_how_pictures_are_cropped(transforms, expected):
    preprocessing = Preprocessing(transforms=transforms, normalisation=Normalisation())
    assert timm_format._crop(preprocessing) == expected


def test_timm_makes_the_size_of_every_usual_pair_again():
    for size in range(16, 513):
        resized = round(size * 256 / 224)
        # As timm/data/transforms_factory.py computes it.
        assert math.floor(size / timm_format._fraction(size, resized)) == resized


def test_every_format_says_how_it_is_used(model):
    for kind in EXPORT_FORMATS:
        assert "```python" in kind.use(model)


@pytest.mark.parametrize("to", FORMATS)
def test_a_model_of_several_labels_keeps_its_probabilities_and_thresholds(to, model, tmp_path):
    several = dataclasses.replace(model, classes=LABELS, label_thresholds=(0.4, 0.5, 0.6))
    pictures = label_set_pictures(tmp_path, 20, size=40)
    exported = export(several, tmp_path / "out", pictures, params=ExportParams(to=to))
    record = json.loads((exported.path / "export.json").read_text())
    assert record["label_thresholds"] == [0.4, 0.5, 0.6]
    assert record["parity"]["largest_difference"] < 1e-5
    assert record["parity"]["labelled"] == 20
    assert "threshold" in (exported.path / "README.md").read_text()
    images = torch.randint(0, 256, (3, 3, SIZE, SIZE), dtype=torch.uint8)
    found = EXPORT_FORMATS.get(to).open(several, exported.path)(images)
    logits = expected_of(model, images).log()  # up to a constant of each row
    logits_BK = logits - logits[:, :1] + _first_logits(model, images)
    torch.testing.assert_close(found.double(), logits_BK.sigmoid(), rtol=0, atol=1e-5)


def test_the_screen_says_exact_and_not_top_1_of_several_labels(model, tmp_path, capsys):
    several = dataclasses.replace(model, classes=LABELS, label_thresholds=(0.4, 0.5, 0.6))
    save_trained(tmp_path / "model", several)
    label_set_pictures(tmp_path, 8, size=40)
    words = ["--to", "pt2", "--data", str(tmp_path / "images"), "--out", str(tmp_path / "out")]
    assert run(["export", str(tmp_path / "model"), *words]) == 0
    told = capsys.readouterr().out
    assert "Exact" in told
    assert "with other labels" in told
    assert "Top-1" not in told


def _first_logits(model, images_BCHW):
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in (PREPROCESSING.normalisation.mean, PREPROCESSING.normalisation.std)
    )
    with torch.inference_mode():
        return model.network((images_BCHW.float() / 255 - mean) / std)[:, :1].double()
