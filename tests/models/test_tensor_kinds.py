"""Tensors of every kind that torch saves, in place of one that a network needs."""

import subprocess
import sys
import warnings

import pytest
import torch

from imageloom.errors import InvalidModelDirectoryError
from imageloom.events import Control
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.models.pretrained import load_pretrained

NAME = "timm/test_resnet"
KEY = "layer1.0.conv1.weight"


def csr(tensor):
    with warnings.catch_warnings(action="ignore"):  # torch calls it a beta
        return tensor.flatten(1).to_sparse_csr()


KINDS = {
    "sparse": torch.Tensor.to_sparse,
    "sparse CSR": csr,
    "sparse CSC": lambda tensor: tensor.flatten(1).to_sparse_csc(),
    "on the meta device, without values": lambda tensor: tensor.to("meta"),
    "quantized (torch.qint8)": lambda tensor: torch.quantize_per_tensor(
        tensor, 0.1, 0, torch.qint8
    ),
    "complex (torch.complex64)": lambda tensor: tensor.to(torch.complex64),
}


@pytest.fixture(scope="module")
def state():
    pytest.importorskip("timm")
    torch.manual_seed(0)
    return build_network(resolve_architecture(NAME, ModelParams()), 5).state_dict()


def load(file):
    return load_pretrained(
        resolve_architecture(NAME, ModelParams()), str(file), control=Control()
    ).body


@pytest.mark.filterwarnings("ignore")  # of making and saving these, which is the maker's affair
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", [KEY, "fc.weight"])
def test_e10_e12_a_tensor_that_is_no_plain_array_is_named_with_its_kind(tmp_path, state, kind, key):
    torch.save({**state, key: KINDS[kind](state[key])}, tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match="no plain arrays") as caught:
        load(tmp_path / "w.pth")
    assert f": {key} is {kind}." in caught.value.message
    assert caught.value.reason == "unusual-tensors"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_are_named_as_what_is_not_read(tmp_path, state, layout):
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=layout)
    torch.save({**state, KEY: nested}, tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match=r"it holds a torch.*nested"):
        load(tmp_path / "w.pth")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_torchs_own_warnings_stay_off_the_screen(tmp_path, state):
    torch.save({**state, KEY: csr(state[KEY])}, tmp_path / "w.pth")
    code = f"""
from pathlib import Path
from imageloom.models.torch_file import load_torch_file
print(load_torch_file(Path({str(tmp_path / "w.pth")!r}))[{KEY!r}].layout)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("torch.sparse_csr\n", "")


@pytest.mark.filterwarnings("ignore")
def test_unusual_tensors_outside_the_network_do_not_matter(tmp_path, state):
    torch.save({"model": state, "mask": csr(torch.eye(3))}, tmp_path / "w.pth")
    assert torch.equal(load(tmp_path / "w.pth")[KEY], state[KEY])


@pytest.mark.parametrize(
    "dtype", [torch.int32, torch.bool, torch.float8_e4m3fn, torch.float4_e2m1fn_x2]
)
def test_e10_numbers_that_are_not_converted_are_named_with_their_type(tmp_path, state, dtype):
    other = torch.zeros(state[KEY].shape, dtype=torch.uint8).view(torch.uint8)
    odd = other.to(dtype) if dtype in (torch.int32, torch.bool) else other.view(dtype)
    torch.save({**state, KEY: odd}, tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match=f"{KEY} is {dtype} not torch.float32"):
        load(tmp_path / "w.pth")


def test_views_of_a_large_storage_are_copied_out_of_it(tmp_path, state):
    large = torch.zeros(4_000_000)
    view = large[: state[KEY].numel()].view(state[KEY].shape)
    view.copy_(state[KEY])
    strided = torch.empty(*state[KEY].shape, 2)[..., 0]
    strided.copy_(state[KEY])
    for tensor in (view, strided, state[KEY].to(memory_format=torch.channels_last)):
        torch.save({**state, KEY: tensor}, tmp_path / "w.pth")
        found = load(tmp_path / "w.pth")[KEY]
        assert torch.equal(found, state[KEY])
        assert found.untyped_storage().nbytes() == found.numel() * 4


def test_one_value_stretched_over_a_weight_becomes_a_weight_of_its_own(tmp_path, state):
    torch.save({**state, KEY: torch.ones(1).expand(state[KEY].shape)}, tmp_path / "w.pth")
    found = load(tmp_path / "w.pth")[KEY]
    found[0] = 2  # torch refuses this where elements share their memory
    assert found.sum() == found.numel() + found[0].numel()
