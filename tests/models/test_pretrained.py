import hashlib
import shutil
from pathlib import Path

import pytest
import torch
import torchvision
from torchvision.models import ResNet18_Weights

from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToDownloadFilesError,
    InvalidModelDirectoryError,
    NotInRangeValueError,
)
from imageloom.events import Control
from imageloom.models import download
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import create_model, save_trained
from imageloom.models.params import ModelParams
from imageloom.models.pretrained import load_pretrained
from imageloom.models.safetensors_file import safetensors_bytes
from imageloom.preprocessing import IMAGENET_NORMALISATION

from .made_models import make_trained

NAME = "timm/test_resnet"


def architecture(name=NAME, **options):
    return resolve_architecture(name, ModelParams(**options))


def state_of(name=NAME, num_classes=7, **options):
    torch.manual_seed(0)
    return build_network(architecture(name, **options), num_classes).state_dict()


def saved(tmp_path, state, name="w.safetensors"):
    file = tmp_path / name
    if name.endswith(".safetensors"):
        file.write_bytes(safetensors_bytes(state))
    else:
        torch.save(state, file)
    return str(file)


def test_random_weights_need_nothing():
    start = load_pretrained(architecture(), "none", control=Control())
    assert start.body is None
    assert start.normalisation == IMAGENET_NORMALISATION
    assert start.source.kind == "random"


@pytest.fixture(scope="module")
def published_file(tmp_path_factory):
    """A file such as torchvision publishes, of a ResNet-18 for 1000 classes."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("published") / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return shutil.move(file, file.with_name(f"resnet18-{digest[:8]}.pth"))


@pytest.fixture
def published(published_file, monkeypatch):
    url = f"https://example.invalid/{published_file.name}"
    monkeypatch.setattr(ResNet18_Weights, "url", property(lambda _self: url), raising=False)
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    cache.mkdir(parents=True)
    (cache / published_file.name).symlink_to(published_file)
    return cache / published_file.name


def test_e16_published_weights_in_the_cache_are_used_offline_without_their_head(
    published, monkeypatch
):
    monkeypatch.setattr("socket.socket", pytest.fail)
    start = load_pretrained(architecture("resnet18"), "imagenet", control=Control())
    whole = torch.load(published, weights_only=True)
    assert set(whole) - set(start.body) == {"fc.weight", "fc.bias"}
    assert all(torch.equal(start.body[name], whole[name]) for name in start.body)
    assert start.source.name == "ResNet18_Weights.IMAGENET1K_V1"
    assert start.normalisation == IMAGENET_NORMALISATION


def test_e16_published_weights_that_cannot_be_fetched_are_named_with_their_place(
    published, monkeypatch
):
    def offline(*args, **kwargs):
        raise OSError("network is unreachable")

    published.unlink()
    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    message = f"{published.name} could not be fetched from https://example.invalid/"
    with pytest.raises(FailedToDownloadFilesError, match=message) as caught:
        load_pretrained(architecture("resnet18"), "imagenet", control=Control())
    assert f"put the file at {published}" in caught.value.hint


def test_published_weights_do_not_fit_the_small_stem_and_this_is_said_before_a_download(
    monkeypatch,
):
    monkeypatch.setattr(download.urllib.request, "urlopen", pytest.fail)
    for name in ("resnet18", "densenet121"):
        with pytest.raises(NotInRangeValueError, match="first layers, 7x7 instead of 3x3"):
            load_pretrained(architecture(name, stem="small"), "imagenet", control=Control())


def test_weights_with_the_small_stem_do_fit_the_small_stem(tmp_path):
    state = state_of("resnet18", stem="small")
    file = saved(tmp_path, state)
    start = load_pretrained(architecture("resnet18", stem="small"), file, control=Control())
    assert torch.equal(start.body["conv1.weight"], state["conv1.weight"])
    message = r"other shapes: conv1\.weight is \[64, 3, 3, 3\] and must be \[64, 3, 7, 7\]"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load_pretrained(architecture("resnet18"), file, control=Control())


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_files_body_is_taken_bit_for_bit_whatever_its_number_of_classes(tmp_path, name):
    state = state_of(num_classes=1000)
    start = load_pretrained(architecture(), saved(tmp_path, state, name), control=Control())
    assert set(state) - set(start.body) == {"fc.weight", "fc.bias"}
    assert all(torch.equal(start.body[key], state[key]) for key in start.body)
    assert start.source.kind == "file"
    assert start.source.name == name  # without its folder, which is nobody's business
    assert start.source.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


@pytest.mark.slow
def test_old_names_of_densenet_are_read_as_torchvision_reads_them(tmp_path):
    state = state_of("densenet121", 1000)
    old = {
        key.replace("norm1", "norm.1").replace("conv1.", "conv.1.")
        .replace("norm2", "norm.2").replace("conv2.", "conv.2."): tensor
        for key, tensor in state.items()
        if not key.endswith("num_batches_tracked")  # newer than those files
    }  # fmt: skip
    naive = torchvision.models.densenet121()
    with pytest.raises(RuntimeError, match="Unexpected key"):
        naive.load_state_dict(old)
    start = load_pretrained(
        architecture("densenet121"), saved(tmp_path, old, "w.pth"), control=Control()
    )
    assert all(torch.equal(start.body[key], state[key]) for key in start.body)
    assert set(start.body) == set(state) - {"classifier.weight", "classifier.bias"}


def test_half_precision_is_converted_and_said(tmp_path):
    state = state_of()
    halves = {
        key: tensor.half() if tensor.is_floating_point() else tensor
        for key, tensor in state.items()
    }
    events = []
    start = load_pretrained(architecture(), saved(tmp_path, halves), control=Control(events.append))
    assert {t.dtype for t in start.body.values()} == {torch.float32, torch.int64}
    count = sum(tensor.is_floating_point() for tensor in start.body.values())
    assert events[0].message.endswith(f"{count} tensors were converted to float32.")


def test_one_tensor_is_not_told_as_many(tmp_path):
    state = state_of()
    state["conv1.0.weight"] = state["conv1.0.weight"].double()
    events = []
    load_pretrained(architecture(), saved(tmp_path, state), control=Control(events.append))
    assert events[0].message.endswith("1 tensor was converted to float32.")


def test_e10_weights_of_another_network_are_refused_naming_three_tensors(tmp_path):
    file = saved(tmp_path, state_of("timm/test_vit"))
    with pytest.raises(
        InvalidModelDirectoryError, match=r"it lacks conv1[\w.]+, [\w.]+, [\w.]+ and \d+ more"
    ):
        load_pretrained(architecture(), file, control=Control())
    state = state_of()
    state.pop("conv1.0.weight")
    message = r"w\.safetensors does not fit the network: it lacks conv1\.0\.weight\."
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load_pretrained(architecture(), saved(tmp_path, state), control=Control())


def test_e10_weights_that_are_not_finite_are_refused(tmp_path):
    state = state_of()
    state["conv1.0.weight"][0, 0, 0, 0] = float("nan")
    message = r"values that are not finite in conv1\.0\.weight"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load_pretrained(architecture(), saved(tmp_path, state), control=Control())


def test_a_trained_model_gives_its_body_and_its_own_normalisation(trained_path):
    start = load_pretrained(architecture(), str(trained_path), control=Control())
    trained = make_trained()
    assert start.normalisation == trained.preprocessing.normalisation
    assert start.source.kind == "model"
    state = trained.network.state_dict()
    assert all(torch.equal(start.body[key], state[key]) for key in start.body)
    assert "fc.weight" not in start.body


def test_a_trained_model_of_another_network_is_refused_naming_both(trained_path):
    message = r"is a test_resnet \(timm\), so its weights do not fit ResNet-18"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load_pretrained(architecture("resnet18"), str(trained_path), control=Control())


def test_e15_an_untrained_model_is_not_a_source_of_weights(tmp_path):
    create_model(NAME, tmp_path / "untrained")
    with pytest.raises(InvalidModelDirectoryError, match="an untrained model, but a trained one"):
        load_pretrained(architecture(), str(tmp_path / "untrained"), control=Control())


def test_a_run_directory_says_where_its_model_is(tmp_path):
    save_trained(tmp_path / "run" / "model", make_trained())
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(InvalidModelDirectoryError, match="is a run directory") as caught:
        load_pretrained(architecture(), str(tmp_path / "run"), control=Control())
    assert f"Its model is {tmp_path / 'run' / 'model'}" in caught.value.hint


def test_a_path_that_is_not_there_is_named_with_the_choices(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match="imagnet") as caught:
        load_pretrained(architecture(), "imagnet", control=Control())
    assert "'imagenet', or 'none'" in caught.value.hint


def test_e16_weights_that_timm_cannot_fetch_are_a_failed_download(monkeypatch):
    # Offline by the hub's own switch: without it, the hub tries again for most of a minute.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = "timm could not load the published weights of resnet18"
    with pytest.raises(FailedToDownloadFilesError, match=message):
        load_pretrained(architecture("timm/resnet18"), "imagenet", control=Control())


def test_a_timm_network_without_published_weights_says_so():
    with pytest.raises(NotInRangeValueError, match="timm publishes no weights for botnet50ts_256"):
        load_pretrained(architecture("timm/botnet50ts_256"), "imagenet", control=Control())
