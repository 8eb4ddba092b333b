"""Checkpoints of others as the start of a training, from what each trainer really saves."""

import argparse

import pytest
import torch
import torchvision

from imageloom.errors import InvalidModelDirectoryError
from imageloom.events import Control
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.models.pretrained import load_pretrained
from imageloom.models.safetensors_file import safetensors_bytes

from . import checkpoints
from .checkpoints import averaged, wrapped

NAME = "timm/test_resnet"  # small, and it has BatchNorm and 'fc' as the large ones have
HEAD = {"fc.weight", "fc.bias"}


@pytest.fixture(scope="module", autouse=True)
def _needs_timm():
    pytest.importorskip("timm")


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return build_network(resolve_architecture(NAME, ModelParams()), 1000).state_dict()


@pytest.fixture
def load(tmp_path):
    """Return a function that saves a checkpoint, starts from it and returns body and notices."""

    def load(content, name=NAME):
        file = tmp_path / "w.pth"
        torch.save(content, file)
        events = []
        architecture = resolve_architecture(name, ModelParams())
        start = load_pretrained(architecture, str(file), control=Control(events.append))
        return start.body, [event.message.removeprefix(f"{file}: ") for event in events]

    return load


def assert_is_body(body, state):
    assert set(body) == set(state) - HEAD
    assert all(torch.equal(body[name], state[name]) for name in body)


def test_a_plain_state_dict_is_taken_and_its_head_is_told(load, state):
    body, notices = load(state)
    assert_is_body(body, state)
    n = len(body)
    told = f"{n} of {n} tensors of the body taken; the head for 1,000 classes left out."
    assert notices == [told]


def test_torchvisions_reference_script_gives_its_average_and_says_so(load, state):
    body, notices = load(checkpoints.torchvision_reference(state))
    assert_is_body(body, averaged(state))
    assert notices == [
        f"{len(body)} of {len(body)} tensors of the body taken from the key 'model_ema', prefix "
        "'module.' (a running average); the head for 1,000 classes left out; n_averaged left out; "
        "others that would fit are not taken: the key 'model'."
    ]


def test_timms_script_gives_its_average_and_says_so(load, state):
    body, notices = load(checkpoints.timm_train(state))
    assert_is_body(body, averaged(state))
    assert "taken from the key 'state_dict_ema' (a running average)" in notices[0]
    assert notices[0].endswith("others that would fit are not taken: the key 'state_dict'.")


def test_timm_itself_takes_the_average_too(tmp_path, state):
    import timm

    torch.save(checkpoints.timm_train(state), tmp_path / "w.pth.tar")
    network = timm.create_model("test_resnet", checkpoint_path=str(tmp_path / "w.pth.tar"))
    found = network.state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in averaged(state).items())


@pytest.mark.parametrize("attribute", ["model.", "net.", "backbone.", "model._orig_mod.module."])
def test_lightnings_network_is_taken_from_behind_its_attribute(load, state, attribute):
    body, notices = load(checkpoints.lightning(state, attribute))
    assert_is_body(body, state)
    assert f"taken from the key 'state_dict', prefix '{attribute}'" in notices[0]
    assert "criterion.weight, accuracy.tp left out" in notices[0]


def test_composers_network_is_taken_two_keys_deep(load, state):
    body, notices = load(checkpoints.composer(state))
    assert_is_body(body, state)
    assert "taken from the key 'state.model', prefix 'module.'" in notices[0]


def test_a_head_outside_of_the_backbone_is_told_as_left_out(load, state):
    body, notices = load(checkpoints.openmmlab(state))
    assert_is_body(body, state)
    assert "prefix 'backbone.'; there is no head in it; head.fc.weight, head.fc.bias" in notices[0]


@pytest.mark.parametrize(
    "key", ["state_dict", "model_state_dict", "model", "net", "ema", "model_ema", "state_dict_ema"]
)
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module."])
def test_e10_any_key_and_any_prefix_are_taken_and_told(load, state, key, prefix):
    body, notices = load({"epoch": 3, key: wrapped(state, prefix)})
    assert_is_body(body, state)
    assert f"the key '{key}'" in notices[0]
    assert (f"prefix '{prefix}'" in notices[0]) == bool(prefix)


def test_files_without_a_head_are_taken_and_this_is_told(load, state):
    headless = {name: tensor for name, tensor in state.items() if name not in HEAD}
    body, notices = load(headless)
    assert_is_body(body, state)
    assert notices == [
        f"{len(body)} of {len(body)} tensors of the body taken; there is no head in it."
    ]


def test_three_of_many_names_that_are_left_out_are_told_with_their_number(load, state):
    more = {f"projector.{number}.weight": torch.ones(1) for number in range(9)}
    _, notices = load({**state, **more})
    told = "projector.0.weight, projector.1.weight, projector.2.weight and 6 more left out."
    assert notices[0].endswith(told)


def test_an_average_of_parameters_alone_is_passed_over(load, state):
    shadow = {name: state[name] for name in state if "running" not in name}
    body, notices = load({"ema": shadow, "model": averaged(state)})
    assert_is_body(body, averaged(state))
    assert "taken from the key 'model'; " in notices[0]


def test_counters_that_an_old_file_lacks_are_told(load, state):
    old = {name: state[name] for name in state if not name.endswith("num_batches_tracked")}
    body, notices = load(old)
    lacking = len(state) - len(old)
    assert f"{len(body) - lacking} of {len(body)} tensors of the body taken" in notices[0]
    assert f"{lacking} counters of BatchNorm, which it lacks, set to 0" in notices[0]


def test_two_networks_of_which_none_is_the_usual_one_are_refused_naming_both(load, state):
    message = "2 sets of weights that fit.*: the key 'student', the key 'teacher'"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load({"student": state, "teacher": averaged(state)})
    both = {**wrapped(state, "encoder_q."), **wrapped(averaged(state), "encoder_k.")}
    message = r"the key 'state_dict', prefix 'encoder_q\.', the key 'state_dict', prefix 'encoder_k"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load({"state_dict": both})


def test_a_tensor_inside_the_body_that_the_network_lacks_means_another_network(load, state):
    message = r"w\.pth, the key 'model', does not fit the network: it has unexpected layer1\.9\.se"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load({"model": {**state, "layer1.9.se.weight": torch.ones(1)}})


def test_a_checkpoint_that_lacks_a_tensor_is_refused_naming_it_and_its_place(load, state):
    wrong = wrapped(state, "module.")
    del wrong["module.conv1.0.weight"]
    message = r"the key 'model', prefix 'module\.', does not fit the network: it lacks conv1\.0\.w"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load({"model": wrong})


def test_a_class_of_the_users_own_is_named_in_words_without_torchs_text(load, state):
    with pytest.raises(InvalidModelDirectoryError, match=r"it holds a .*Config, and") as caught:
        load({"model": state, "config": Config()})
    text = str(caught.value)
    assert f"{Config.__module__}.Config" in text
    assert "torch.save(model.state_dict(), FILE)" in text
    assert not any(word in text for word in ("\x1b", "x1b", "weights_only", "Unpickl", "trust"))


class Config:
    """A class of a user's own script."""

    def __init__(self):
        self.lr = 0.1


@pytest.mark.parametrize(("name", "head"), [("resnet18", "fc"), ("densenet121", "classifier")])
def test_torchvisions_own_networks_are_taken_from_its_reference_script(load, name, head):
    torch.manual_seed(0)
    state = torchvision.models.get_model(name, num_classes=10).state_dict()
    saved = state
    if name == "densenet121":  # as files of 2017 name them
        for part in ("norm1", "norm2", "conv1", "conv2"):
            saved = {
                key.replace(f".{part}.", f".{part[:-1]}.{part[-1]}."): tensor
                for key, tensor in saved.items()
            }
    args = argparse.Namespace(model=name)
    body, notices = load({"model": wrapped(saved, "module."), "args": args, "epoch": 9}, name)
    assert set(body) == set(state) - {f"{head}.weight", f"{head}.bias"}
    assert all(torch.equal(body[key], state[key]) for key in body)
    assert notices[0].endswith(
        "the key 'model', prefix 'module.'; the head for 10 classes left out."
    )


def test_a_smaller_network_is_not_cut_out_of_a_larger_one(load):
    # ResNet-34 has every tensor of ResNet-18, of the same shape, and more.
    state = torchvision.models.resnet34().state_dict()
    message = r"has unexpected layer1\.2\.conv1\.weight, .* more"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        load(state, "resnet18")


def test_safetensors_as_the_hub_holds_them_are_taken(tmp_path, state):
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(state))
    architecture = resolve_architecture(NAME, ModelParams())
    start = load_pretrained(architecture, str(tmp_path / "model.safetensors"), control=Control())
    assert_is_body(start.body, state)


def test_a_file_written_later_does_not_change_weights_that_were_read(tmp_path, state):
    file = tmp_path / "w.pth"
    torch.save(state, file)
    body = load_pretrained(
        resolve_architecture(NAME, ModelParams()), str(file), control=Control()
    ).body
    with file.open("r+b") as opened:
        opened.write(b"\xff" * opened.seek(0, 2))
    assert_is_body(body, state)
