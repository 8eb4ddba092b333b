"""Requests of Open Inference v2: what is understood, and what is refused with a reason."""

import base64
import json

import numpy as np
import pytest

from imageloom.errors import InvalidRequestError
from imageloom.serving.byte_tensors import pack, unpack
from imageloom.serving.infer_request import WantedOutput, read_infer_request

from .second_client import files_body, infer_body

PIXELS = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


def in_json(tensor, **more):
    return json.dumps({"inputs": [tensor], **more}).encode()


def image(*files, **more):
    return {"name": "image", "shape": [len(files)], "datatype": "BYTES", "data": files, **more}


def test_files_in_binary():
    asked = read_infer_request(*files_body([b"one", b"", b"\x00\xff"], id="abc"))
    assert asked.id == "abc"
    assert [one.content for one in asked.pictures] == [b"one", b"", b"\x00\xff"]
    assert asked.outputs == (WantedOutput("probabilities", False), WantedOutput("label", False))


def test_files_in_json_are_base64():
    body = in_json(image(base64.b64encode(b"\x89PNG").decode()))
    (picture,) = read_infer_request(body, None).pictures
    assert picture.content == b"\x89PNG"


@pytest.mark.parametrize("data", [PIXELS.tolist(), PIXELS.flatten().tolist()], ids=["rows", "flat"])
def test_pixels_in_json(data):
    tensor = {"name": "pixels", "shape": [2, 4, 5, 3], "datatype": "UINT8", "data": data}
    found = [one.pixels_HWC for one in read_infer_request(in_json(tensor), None).pictures]
    np.testing.assert_array_equal(np.stack(found), PIXELS)


def test_pixels_in_binary():
    tensor = {"name": "pixels", "shape": [2, 4, 5, 3], "datatype": "UINT8"}
    found = read_infer_request(*infer_body(tensor, PIXELS.tobytes())).pictures
    np.testing.assert_array_equal(np.stack([one.pixels_HWC for one in found]), PIXELS)


def test_each_output_may_be_binary_or_not():
    outputs = [{"name": "label", "parameters": {"binary_data": False}}, {"name": "probabilities"}]
    body = in_json(image("aGk="), outputs=outputs, parameters={"binary_data_output": True})
    asked = read_infer_request(body, None).outputs
    assert asked == (WantedOutput("label", False), WantedOutput("probabilities", True))


def pixels(shape, data):
    return in_json({"name": "pixels", "shape": shape, "datatype": "UINT8", "data": data})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"inputs": [NaN]}', "NaN is no number"),
        (b"[]", "is no JSON object"),
        (b'{"inputs": []}', "'inputs' is no list, or empty"),
        (b'{"inputs": [1]}', "An input is no JSON object"),
        (in_json(image("aGk=", name="other")), "'other' of type 'BYTES' is not known"),
        (in_json(image("aGk=", datatype="FP32")), "'image' of type 'FP32' is not known"),
        (in_json(image("aGk=", shape=[2])), "the shape [2], but 1 elements came"),
        (in_json(image("aGk=", shape=[0])), "is no shape"),
        (in_json(image("aGk=", shape=[True])), "is no shape"),
        (in_json(image("aGk=", shape=[2**31])), "is no shape"),
        (in_json(image("no base64!")), "is no base64"),
        (in_json(image(7)), "is no base64"),
        (in_json(image("aGk=", parameters={"shared_memory_region": "x"})), "Shared memory"),
        (in_json(image("aGk=", parameters={"binary_data_size": 9})), "but 0 bytes came"),
        (in_json(image("aGk="), outputs=[{"name": "logits"}]), "There is no output 'logits'"),
        (
            in_json(
                image("aGk="), outputs=[{"name": "label", "parameters": {"classification": 2}}]
            ),
            "classification extension is not supported",
        ),
        (pixels([1, 1, 1, 3], [0, 256, 0]), "whole numbers of 0 to 255"),
        (pixels([1, 1, 1, 3], [0, -1, 0]), "whole numbers of 0 to 255"),
        (pixels([1, 1, 1, 3], [0.5, 0, 0]), "whole numbers of 0 to 255"),
        (pixels([1, 1, 1, 3], [True, False, True]), "whole numbers of 0 to 255"),
        (pixels([1, 1, 1, 3], [10**30, 0, 0]), "whole numbers of 0 to 255"),
        (pixels([1, 1, 2, 3], [[[[1, 2, 3], [4, 5]]]]), "whole numbers of 0 to 255"),
        (pixels([1, 1, 2, 3], [1, 2, 3]), "the shape [1, 1, 2, 3], but 3 values came"),
        (pixels([1, 1, 3], [1, 2, 3]), "must have [N, H, W, 3]"),
    ],
)
def test_what_is_no_request_is_refused(body, says):
    with pytest.raises(InvalidRequestError) as refused:
        read_infer_request(body, None)
    assert says in refused.value.message


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣", "9" * 20, "999999"])
def test_a_length_of_the_json_that_cannot_be_is_refused(length):
    with pytest.raises(InvalidRequestError, match=r"Inference-Header|should have"):
        read_infer_request(in_json(image("aGk=")), length)


def test_bytes_of_which_no_input_speaks_are_refused():
    body = in_json(image("aGk="))
    with pytest.raises(InvalidRequestError, match="3 bytes stand behind the JSON"):
        read_infer_request(body + b"abc", str(len(body)))


def test_elements_come_back_as_they_were():
    elements = [b"", b"a", bytes(range(256)) * 300]
    assert unpack(memoryview(pack(elements)), most=3) == elements


def test_millions_of_empty_files_and_of_tiny_pictures_are_refused():
    with pytest.raises(InvalidRequestError, match="more than 10,000 elements"):
        read_infer_request(*files_body([b""] * 10_001))
    tensor = {"name": "pixels", "shape": [10_001, 1, 1, 3], "datatype": "UINT8"}
    with pytest.raises(InvalidRequestError, match="with N up to 10,000"):
        read_infer_request(*infer_body(tensor, bytes(30_003)))


def test_json_that_would_keep_others_waiting_is_refused():
    body = in_json(image("aGk="), id="x" * 8 * 1024**2)
    with pytest.raises(InvalidRequestError, match="but at most 8,388,608 are taken"):
        read_infer_request(body, None)


@pytest.mark.parametrize("content", [b"\x01", b"\x02\0\0\0a", b"\xff\xff\xff\xffabc"])
def test_an_element_that_is_cut_is_refused(content):
    with pytest.raises(InvalidRequestError, match="of a BYTES tensor reaches to byte"):
        unpack(memoryview(content), most=9)
