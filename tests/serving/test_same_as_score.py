"""A picture's answer has the bits that ``score`` gives it, whatever is beside it in a batch."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from imageloom.data.params import ConvertParams
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.score import score

from .second_client import ask, infer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scored(server):
    table = score(
        server.model,
        server.pictures,
        params=ScoreParams(device="cpu", workers=0),
        convert_params=ConvertParams(labels="none"),
    )
    assert table.files.to_pylist() == [one.name for one in sorted(server.pictures.iterdir())]
    return table.probabilities_NK


def test_pictures_that_come_together(server, scored):
    np.testing.assert_array_equal(infer(server.address, "flowers", server.files), scored)


def test_pictures_that_come_alone(server, scored):
    rows = [infer(server.address, "flowers", [file])[0] for file in server.files]
    np.testing.assert_array_equal(np.stack(rows), scored)


def test_pictures_of_many_who_ask_at_once(server, scored):
    with ThreadPoolExecutor(16) as many:
        rows = list(
            many.map(lambda file: infer(server.address, "flowers", [file])[0], server.files)
        )
    np.testing.assert_array_equal(np.stack(rows), scored)


def test_a_file_by_post_and_all_classes(server, scored):
    status, _, content = ask(f"{server.address}predict?top=3", server.files[4])
    assert status == 200
    (found,) = json.loads(content)["predictions"]
    values = [one["probability"] for one in found["classes"]]
    assert values == sorted(scored[4].tolist(), reverse=True)
    classes = ("red", "green", "blue")
    by_name = {one["class"]: one["probability"] for one in found["classes"]}
    assert [by_name[name] for name in classes] == scored[4].tolist()
