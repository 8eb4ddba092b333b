import os

import pytest
import torch

from imageloom.errors import CouldNotOpenFileError, InvalidModelDirectoryError
from imageloom.models.safetensors_file import safetensors_bytes
from imageloom.models.weights_file import read_weights_file

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


def assert_is_state(found):
    assert set(found.tensors) == set(STATE)
    assert all(torch.equal(found.tensors[name], STATE[name]) for name in STATE)


def test_safetensors_and_torch_files_give_the_same(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(STATE))
    torch.save(STATE, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        (found,) = read_weights_file(tmp_path / name)
        assert_is_state(found)
        assert (found.key, found.others) == ("", ())


@pytest.mark.parametrize("key", ["state_dict", "model_ema", "student"])
def test_weights_under_any_key_of_a_checkpoint_are_found(tmp_path, key):
    torch.save({"epoch": 3, "best": 0.5, key: {**STATE, "note": "x"}}, tmp_path / "checkpoint.pth")
    (found,) = read_weights_file(tmp_path / "checkpoint.pth")
    assert_is_state(found)
    assert (found.key, found.others) == (key, ("note",))


def test_weights_two_keys_deep_are_found(tmp_path):
    torch.save({"state": {"model": STATE, "run_name": "x"}, "rng": []}, tmp_path / "checkpoint.pth")
    (found,) = read_weights_file(tmp_path / "checkpoint.pth")
    assert_is_state(found)
    assert found.key == "state.model"


def test_the_optimizers_numbered_tensors_are_no_weights(tmp_path):
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    torch.save({"model": STATE, "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pth")
    assert [found.key for found in read_weights_file(tmp_path / "checkpoint.pth")] == ["model"]


def test_a_dictionary_of_other_things_is_refused_naming_three_of_them(tmp_path):
    torch.save(dict.fromkeys(("epoch", "loss", "lr", "best", "args"), 3), tmp_path / "w.pth")
    message = "no dictionary of weights: 'epoch', 'loss', 'lr' and 2 more in it"
    with pytest.raises(InvalidModelDirectoryError, match=message):
        read_weights_file(tmp_path / "w.pth")
    torch.save({}, tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match="no dictionary of weights: nothing"):
        read_weights_file(tmp_path / "w.pth")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"no file .*nothing\.pth"):
        read_weights_file(tmp_path / "nothing.pth")
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(CouldNotOpenFileError, match=r"no file .*pipe\.pth"):
        read_weights_file(tmp_path / "pipe.pth")


def test_a_tensor_that_claims_more_than_it_has_takes_no_memory(tmp_path):
    claims = torch.ones(1).expand(10**12)  # 4 TB by strides of zero
    torch.save({"a": claims}, tmp_path / "w.pth")
    (found,) = read_weights_file(tmp_path / "w.pth")
    assert found.tensors["a"].untyped_storage().nbytes() == 4


def test_a_tensor_whose_methods_the_file_hides_is_a_plain_tensor(tmp_path):
    tensor = torch.ones(3)
    tensor.numel = tensor.is_floating_point = "hidden"
    torch.save({"a": tensor}, tmp_path / "w.pth")
    assert torch.load(tmp_path / "w.pth", weights_only=True)["a"].numel == "hidden"
    (found,) = read_weights_file(tmp_path / "w.pth")
    assert found.tensors["a"].numel() == 3
    assert found.tensors["a"].is_floating_point()
