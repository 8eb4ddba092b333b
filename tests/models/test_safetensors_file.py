import json
import struct
import time

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.safetensors_file import (
    MAX_HEADER_BYTES,
    read_safetensors,
    safetensors_bytes,
)

EIGHT = b"\0" * 8


def entry(begin=0, end=8, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def content(header, data=EIGHT, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def read(tmp_path, written):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(written)
    return read_safetensors(file, InvalidModelDirectoryError)


ONE = json.dumps({"a": entry()})[1:-1]
HOSTILE = {
    "empty file": b"",
    "seven bytes": b"\0" * 7,
    "header longer than the file": content({"a": entry()}, length=10**6),
    "header of 2**64 - 1 bytes": content({"a": entry()}, length=2**64 - 1),
    "overlapping": content({"a": entry(), "b": entry()}),
    "hole": content({"a": entry(), "b": entry(16, 24)}, EIGHT * 3),
    "out of range": content({"a": entry(), "b": entry(8, 16)}),
    "bytes after the end": content({"a": entry()}, EIGHT * 2),
    "cut by one byte": content({"a": entry()})[:-1],
    "shape product overflows": content({"a": entry(shape=(2**40, 2**40))}),
    "shape product wraps to the size": content({"a": entry(shape=(2**63, 2, 2))}),
    "negative size": content({"a": entry(shape=(-2,))}),
    "size with a fraction": content({"a": entry(shape=(2.0,))}),
    "bad UTF-8": content(b'{"\xff": ' + json.dumps(entry()).encode() + b"}"),
    "not JSON": content(b"{'a'}"),
    "not an object": content([]),
    "very deep": content(b"[" * 100_000),
    "unknown type": content({"a": entry(dtype="Q9")}),
    "type is a list": content({"a": entry() | {"dtype": ["F32"]}}),
    "packed type": content({"a": entry(shape=(16,), dtype="F4")}),
    "tensor is no object": content({"a": 1}),
    "unknown field": content({"a": entry() | {"code": "import os"}}),
    "tensor stands twice": content(f"{{{ONE},{ONE}}}".encode()),
    "metadata is no text": content({"a": entry(), "__metadata__": {"x": 1}}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_e12_a_hostile_header_is_refused_at_once(tmp_path, name):
    started = time.process_time()
    with pytest.raises(InvalidModelDirectoryError, match=r"weights\.safetensors is no valid"):
        read(tmp_path, HOSTILE[name])
    assert time.process_time() - started < 0.5


def test_e12_a_header_that_is_too_long_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "weights.safetensors"
    with file.open("wb") as opened:
        opened.write(struct.pack("<Q", 2**30))
        opened.truncate(2**31)  # sparse
    with pytest.raises(InvalidModelDirectoryError, match=f"and at most {MAX_HEADER_BYTES:,}"):
        read_safetensors(file, InvalidModelDirectoryError)


def test_e12_a_tensor_that_stands_twice_is_taken_by_the_library_in_silence(tmp_path):
    ints = json.dumps({"a": entry(dtype="I32")})[1:-1]
    twice = content(f"{{{ONE},{ints}}}".encode())
    file = tmp_path / "twice.safetensors"
    file.write_bytes(twice)
    assert safetensors.torch.load_file(file)["a"].dtype == torch.int32  # the last one wins
    with pytest.raises(InvalidModelDirectoryError, match="'a' stands twice"):
        read(tmp_path, twice)


def test_e12_a_tensor_without_dimensions_is_a_number(tmp_path):
    counter = torch.tensor(7)
    assert torch.equal(read(tmp_path, safetensors_bytes({"n": counter}))["n"], counter)


def test_equal_tensors_give_equal_bytes_in_any_order_and_layout():
    images = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
    one = {"b": images, "a": torch.tensor(1)}
    other = {"a": torch.tensor(1), "b": images.clone().to(memory_format=torch.channels_last)}
    assert not other["b"].is_contiguous()
    assert safetensors_bytes(one) == safetensors_bytes(other)


def test_tied_weights_are_written_as_two_tensors(tmp_path):
    shared = torch.nn.Parameter(torch.ones(3))
    found = read(tmp_path, safetensors_bytes({"a": shared, "b": shared}))
    assert torch.equal(found["a"], found["b"])


def test_a_file_written_later_does_not_change_a_tensor_that_was_read(tmp_path):
    written = safetensors_bytes({"a": torch.ones(4)})
    tensor = read(tmp_path, written)["a"]
    naive = safetensors.torch.load_file(tmp_path / "weights.safetensors")["a"]
    with (tmp_path / "weights.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(struct.pack("<f", 9.0))
    assert naive[-1] == 9  # the library's tensor is the file
    assert tensor.tolist() == [1, 1, 1, 1]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_change_of_a_header_is_refused_or_harmless(tmp_path_factory, data):
    tmp_path = tmp_path_factory.mktemp("fuzz")
    written = bytearray(safetensors_bytes({"a": torch.ones(2), "b": torch.zeros(1)}))
    for _ in range(data.draw(st.integers(1, 4))):
        written[data.draw(st.integers(0, len(written) - 13))] = data.draw(st.integers(0, 255))
    try:
        found = read(tmp_path, bytes(written))
    except InvalidModelDirectoryError:
        return
    assert sum(tensor.numel() for tensor in found.values()) <= 12
