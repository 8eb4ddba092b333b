"""A model that may give several labels answers with those that reach their threshold."""

import dataclasses
import json

import pytest

from imageloom.data.params import ConvertParams
from imageloom.models.model_directory import load_trained, save_trained
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.score import score
from imageloom.serving.params import ServeParams
from imageloom.serving.serve import ServingSetup

from .conftest import ANYWHERE, running
from .second_client import ask, infer


@pytest.fixture(scope="module")
def several(model, pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("several") / "flowers"
    save_trained(out, dataclasses.replace(load_trained(model), label_thresholds=(0.3, 0.5, 0.7)))
    params = ServeParams(device="cpu", decoders=1, batch_size=8)
    with running(ServingSetup(out, ANYWHERE, params=params), pictures) as started:
        yield started


@pytest.fixture(scope="module")
def table(several):
    return score(
        several.model,
        several.pictures,
        params=ScoreParams(device="cpu", workers=0),
        convert_params=ConvertParams(labels="none"),
    )


def test_answers_have_the_bits_of_score_and_the_same_labels(several, table):
    for row, file in enumerate(several.files[:4]):
        status, _, content = ask(f"{several.address}predict?top=3", file)
        assert status == 200
        (found,) = json.loads(content)["predictions"]
        values = {one["class"]: one["probability"] for one in found["classes"]}
        expected = dict(zip(table.classes, table.probabilities_NK[row].tolist(), strict=True))
        assert values == expected
        given = {
            name for name, has in zip(table.classes, table.predicted_NK[row], strict=True) if has
        }
        assert set(found["labels"]) == given


def test_open_inference_tells_the_thresholds(several, table):
    status, _, content = ask(f"{several.address}v2/models/flowers")
    assert status == 200
    assert json.loads(content)["parameters"]["label_thresholds"] == [0.3, 0.5, 0.7]
    assert infer(several.address, "flowers", several.files).tolist() == (
        table.probabilities_NK.tolist()
    )
