"""Triton's own client, where it is installed: its versions of greenlet and ml-dtypes are old."""

import base64
import json

import numpy as np
import pytest
from PIL import Image

from .second_client import infer

http = pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[http]'")
pytestmark = pytest.mark.slow


@pytest.fixture
def client(server):
    return http.InferenceServerClient(server.address.removeprefix("http://").rstrip("/"))


def asked(client, name, kind, tensor, **more):
    sent = http.InferInput(name, list(tensor.shape), kind)
    sent.set_data_from_numpy(tensor, **more)
    return client.infer("flowers", [sent])


def test_it_finds_the_server_alive_and_the_model_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("flowers")
    assert not client.is_model_ready("others")
    described = client.get_model_metadata("flowers", "1")
    assert json.loads(json.dumps(described))["parameters"]["classes"] == ["red", "green", "blue"]


def test_files_in_binary_and_in_json_have_the_same_answer(server, client):
    expected = infer(server.address, "flowers", server.files)
    files = np.array(server.files, dtype=np.object_)
    found = asked(client, "image", "BYTES", files)
    np.testing.assert_array_equal(found.as_numpy("probabilities"), expected)
    names = [(b"red", b"green", b"blue")[one] for one in expected.argmax(axis=1)]
    assert found.as_numpy("label").tolist() == names
    texts = np.array([base64.b64encode(one) for one in server.files], dtype=np.object_)
    found = asked(client, "image", "BYTES", texts, binary_data=False)
    np.testing.assert_array_equal(found.as_numpy("probabilities"), expected)


@pytest.mark.parametrize("binary_data", [True, False])
def test_pixels_have_the_answer_of_their_file(server, client, binary_data):
    file = server.pictures / "01.png"
    pixels_1HW3 = np.asarray(Image.open(file).convert("RGB"))[None]
    found = asked(client, "pixels", "UINT8", pixels_1HW3, binary_data=binary_data)
    expected = infer(server.address, "flowers", [file.read_bytes()])
    np.testing.assert_array_equal(found.as_numpy("probabilities"), expected)


def test_an_error_comes_as_its_exception(client):
    with pytest.raises(http.InferenceServerException, match=r"\[422\] picture 0 is not a picture"):
        asked(client, "image", "BYTES", np.array([b"\x00\x01"], dtype=np.object_))
