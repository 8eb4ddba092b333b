import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from imageloom.errors import (
    FailedToWriteOutputsError,
    GreaterThanError,
    RunInterruptedError,
    UnknownNameError,
)
from imageloom.events import CancelToken, Notice
from imageloom.scoring.explain.explain import explain
from imageloom.scoring.explain.heat_map import heat_png, overlay_png
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.predict import predict

from .made_models import real_model

HERE = ScoreParams(device="cpu", workers=0)


@pytest.fixture(scope="module")
def model():
    return dataclasses.replace(real_model(), digest="c" * 64)


@pytest.fixture
def red(tmp_path):
    Image.new("RGB", (40, 32), (255, 0, 51)).save(tmp_path / "red.png")
    return tmp_path / "red.png"


def test_the_classes_are_those_of_predict(model, red):
    (found,) = explain(model, [red], params=HERE)
    (expected,) = predict(model, [red], params=HERE)
    assert found.prediction.classes == expected.classes
    assert found.prediction.probabilities == pytest.approx(expected.probabilities, abs=1e-6)
    assert found.explained == expected.classes[0]
    assert (found.heat_map, found.nearest) == ("", ())


def test_the_folder_holds_a_picture_for_each_file_that_could_be_read(model, red, tmp_path):
    again = tmp_path / "sub" / "red.png"
    again.parent.mkdir()
    again.write_bytes(red.read_bytes())
    found = explain(model, [red, tmp_path / "gone.png", again], tmp_path / "why", params=HERE)
    assert [one.heat_map for one in found] == ["red.png", "", "red-2.png"]
    assert "gone.png cannot be read" in found[1].prediction.error
    written = {file.name for file in (tmp_path / "why").iterdir()} - {"MANIFEST.json"}
    assert written == {"red.png", "red-2.png"}
    with Image.open(tmp_path / "why" / "red.png") as picture:
        assert (picture.size, picture.mode) == ((256, 256), "RGB")  # 32 px, eight times as large


def test_another_class_may_be_looked_for_and_must_be_there(model, red):
    assert explain(model, [red], of_class="blue", params=HERE)[0].explained == "blue"
    with pytest.raises(UnknownNameError, match="no class called 'Blue'"):
        explain(model, [red], of_class="Blue", params=HERE)


def test_training_pictures_that_are_alike_are_named_and_others_are_warned_of(
    model, make_pictures, tmp_path
):
    images, events = make_pictures(per_class=3), []
    file = images.root / images.file(4)
    found = explain(model, [file], training=images, nearest=2, params=HERE, on_event=events.append)
    assert found[0].nearest[0].position == 4
    assert len(found[0].nearest) == 2
    assert not any(isinstance(one, Notice) for one in events)  # it does not say what it learned
    content = json.loads(json.dumps(found[0].to_json()))
    assert content["nearest"][0]["file"] == images.file(4)
    learned = dataclasses.replace(model, data={"training": _facts("d" * 64)})
    explain(learned, [file], training=images, params=HERE, on_event=events.append)
    assert any("did not learn from just these pictures" in str(one) for one in events)


def _facts(digest):
    from imageloom.models.record import DataFacts

    return DataFacts(digest=digest, images=7)


def test_numbers_below_one_are_refused(model, red):
    with pytest.raises(GreaterThanError, match="nearest is 0"):
        explain(model, [red], nearest=0, params=HERE)
    with pytest.raises(GreaterThanError, match="k is -1"):
        explain(model, [red], k=-1, params=HERE)


def test_a_folder_that_is_there_is_left_alone(model, red, tmp_path):
    (tmp_path / "why").mkdir()
    (tmp_path / "why" / "mine.txt").write_text("mine")
    with pytest.raises(FailedToWriteOutputsError, match="exists"):
        explain(model, [red], tmp_path / "why", params=HERE)


def test_it_can_be_stopped_and_publishes_nothing_then(model, red, tmp_path):
    cancel = CancelToken()
    with pytest.raises(RunInterruptedError):
        explain(
            model,
            [red, red],
            tmp_path / "why",
            params=HERE,
            on_event=lambda _event: cancel.set("Ctrl+C"),
            cancel=cancel,
        )
    assert not (tmp_path / "why").exists()


def test_cold_places_are_clear_and_hot_ones_cover():
    map_HW = np.array([[0.0, 0.5, 1.0]], np.float32)
    with Image.open(io.BytesIO(heat_png(map_HW))) as picture:
        pixels = np.asarray(picture)
    assert pixels[0, :, 3].tolist() == [0, 128, 255]
    brightness = pixels[0, :, :3].astype(int) @ [299, 587, 114]
    assert brightness[0] < brightness[1] < brightness[2]  # more is brighter, also in grey
    grey = np.full((1, 3, 3), 100, np.uint8)
    with Image.open(io.BytesIO(overlay_png(grey, map_HW))) as picture:
        assert np.asarray(picture)[0, 0].tolist() == [100, 100, 100]
        assert np.asarray(picture)[0, 2].tolist() != [100, 100, 100]
