import json
import threading

import pytest
import torch

from imageloom.errors import (
    FailedToWriteOutputsError,
    InvalidModelDirectoryError,
    NaNError,
    UnknownNameError,
)
from imageloom.events import Control
from imageloom.models.model_directory import (
    as_untrained,
    create_model,
    load_trained,
    load_untrained,
    make_untrained,
    save_trained,
)
from imageloom.models.params import ModelParams
from imageloom.models.safetensors_file import safetensors_bytes

from .made_models import CLASSES, make_trained

NAME = "timm/test_resnet"


def logits_of(model, size=32):
    torch.manual_seed(9)
    with torch.no_grad():
        return model.network(torch.randn(2, 3, size, size))


def bytes_of(path):
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_a_trained_model_comes_back_as_it_was_saved(trained_path):
    saved, loaded = make_trained(), load_trained(trained_path)
    assert loaded.classes == CLASSES
    for name in ("architecture", "preprocessing", "parameters", "metrics", "data", "versions"):
        assert getattr(loaded, name) == getattr(saved, name), name
    assert torch.equal(logits_of(loaded), logits_of(saved))
    assert not loaded.network.training
    assert {str(parameter.device) for parameter in loaded.network.parameters()} == {"cpu"}
    assert {parameter.dtype for parameter in loaded.network.parameters()} == {torch.float32}


def test_equal_contents_give_equal_bytes(trained_path, tmp_path):
    save_trained(tmp_path / "again", make_trained())
    assert bytes_of(tmp_path / "again") == bytes_of(trained_path)


def test_the_layout_of_the_weights_in_memory_does_not_matter(trained_path, tmp_path):
    model = make_trained()
    model.network.to(memory_format=torch.channels_last).train()
    save_trained(tmp_path / "m", model)
    assert bytes_of(tmp_path / "m") == bytes_of(trained_path)
    assert model.network.training  # not changed by saving


def test_the_record_holds_no_time_stamp_and_no_path_of_this_machine(trained_path, tmp_path):
    text = (trained_path / "model.json").read_text("utf-8")
    assert str(tmp_path.parent) not in text
    assert not {"time", "date", "created"} & set(json.loads(text))


def test_d10_class_names_stay_text(trained_path):
    assert json.loads((trained_path / "model.json").read_text("utf-8"))["classes"][:2] == [
        "007",
        "NA",
    ]


def test_a_figure_that_is_not_finite_is_recorded_as_unknown(tmp_path):
    model = make_trained()
    model.metrics["Log loss"] = float("inf")
    assert save_trained(tmp_path / "m", model).metrics["Log loss"] is None
    assert load_trained(tmp_path / "m").metrics["Log loss"] is None


def test_weights_that_are_not_finite_are_never_published(tmp_path):
    model = make_trained()
    with torch.no_grad():
        model.network.fc.bias[1] = float("nan")
    with pytest.raises(NaNError, match=r"not saved, for weights are not finite: fc\.bias\."):
        save_trained(tmp_path / "m", model)
    assert not (tmp_path / "m").exists()


def test_a_model_replaces_another_only_when_asked(tmp_path):
    first = save_trained(tmp_path / "m", make_trained(seed=1))
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        save_trained(tmp_path / "m", make_trained(seed=2))
    assert load_trained(tmp_path / "m").digest == first.digest
    second = save_trained(tmp_path / "m", make_trained(seed=2), replace=True)
    assert load_trained(tmp_path / "m").digest == second.digest != first.digest


def test_d11_e16_a_trained_model_is_loaded_without_a_network(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("a socket was opened")

    save_trained(tmp_path / "m", make_trained("resnet18", stem="small"))
    monkeypatch.setattr("socket.socket", no_network)
    monkeypatch.setattr("socket.create_connection", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-cache"))
    load_trained(tmp_path / "m")
    assert not (tmp_path / "no-cache").exists()


def test_e18_a_model_of_other_versions_of_the_libraries_loads(remade_record):
    path = remade_record(lambda record: record["versions"].update(torch="1.13.0", python="3.8"))
    assert load_trained(path).versions["torch"] == "1.13.0"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_e18_a_model_from_a_gpu_scores_the_same_on_the_cpu(tmp_path):
    model = make_trained("resnet18", stem="small")
    expected = logits_of(model)
    model.network.cuda().to(memory_format=torch.channels_last)
    save_trained(tmp_path / "m", model)
    loaded = load_trained(tmp_path / "m")
    torch.testing.assert_close(logits_of(loaded), expected, atol=1e-5, rtol=0)


def test_loading_leaves_the_random_generator_alone(trained_path):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load_trained(trained_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_untrained_model_without_weights_is_a_description(tmp_path):
    made = create_model("resnet18", tmp_path / "m", ModelParams(stem="small", dropout=0.1))
    assert sorted(file.name for file in (tmp_path / "m").iterdir()) == [
        "MANIFEST.json",
        "README.md",
        "model.json",
    ]
    loaded = load_untrained(tmp_path / "m")
    assert loaded.architecture == made.architecture
    assert loaded.digest == made.digest
    assert loaded.weights is None


def test_an_untrained_model_keeps_its_weights_bit_for_bit(tmp_path):
    state = make_trained().network.state_dict()
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(state))
    params = ModelParams(weights=str(tmp_path / "w.safetensors"))
    made = create_model(NAME, tmp_path / "m", params)
    (tmp_path / "w.safetensors").unlink()
    loaded = load_untrained(tmp_path / "m")
    assert set(loaded.weights) == set(state) - {"fc.weight", "fc.bias"}
    assert all(torch.equal(loaded.weights[name], state[name]) for name in loaded.weights)
    assert loaded.digest == made.digest
    assert loaded.source.name == "w.safetensors"
    assert str(tmp_path) not in (tmp_path / "m" / "model.json").read_text("utf-8")


def test_a_made_model_equals_a_created_one(tmp_path):
    created = create_model(NAME, tmp_path / "m")
    assert make_untrained(NAME, control=Control()).digest == created.digest


def test_a_place_that_is_taken_is_refused_before_anything_is_fetched(tmp_path, monkeypatch):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "file").touch()
    monkeypatch.setattr("imageloom.models.download.urllib.request.urlopen", pytest.fail)
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        create_model("resnet18", tmp_path / "m", ModelParams(weights="imagenet"))


def test_an_unknown_name_leaves_nothing_behind(tmp_path):
    with pytest.raises(UnknownNameError, match="resnet19"):
        create_model("resnet19", tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_e15_a_trained_model_is_no_untrained_one_but_can_be_turned_into_one(trained_path):
    with pytest.raises(InvalidModelDirectoryError, match="an untrained one is needed"):
        load_untrained(trained_path)
    trained = load_trained(trained_path)
    start = as_untrained(trained)
    assert start.head_classes == CLASSES
    assert start.normalisation == trained.preprocessing.normalisation
    assert start.source.sha256 == trained.digest
    state = trained.network.state_dict()
    assert all(torch.equal(start.weights[name], state[name]) for name in state)
    start.weights["fc.bias"].add_(1)
    assert not torch.equal(start.weights["fc.bias"], trained.network.state_dict()["fc.bias"])


def test_b24_a_path_with_a_tilde_is_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    create_model(NAME, "~/m")
    assert load_untrained("~/m/").digest


def test_two_threads_load_the_same_model(trained_path):
    expected = logits_of(load_trained(trained_path))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_trained(trained_path))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(torch.equal(logits_of(model), expected) for model in found)
