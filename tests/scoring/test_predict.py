import dataclasses
import json
import os

import numpy as np
import pytest
from PIL import Image

from imageloom.errors import GreaterThanError, RunInterruptedError
from imageloom.events import CancelToken, Progress
from imageloom.preprocessing import CenterCrop, Preprocessing
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.predict import predict
from imageloom.scoring.score import score

from .made_models import colour_model

HERE = ScoreParams(device="cpu", workers=0)


@pytest.fixture
def red(tmp_path):
    Image.new("RGB", (40, 32), (255, 0, 51)).save(tmp_path / "red.png")
    return tmp_path / "red.png"


def test_the_most_probable_classes_come_first(red):
    (found,) = predict(colour_model(), [red], params=HERE)
    assert found.classes == ("red", "blue", "green")
    assert found.probabilities[0] == pytest.approx(1 / (1 + 2.718281828**-8 + 2.718281828**-10))
    assert sum(found.probabilities) == pytest.approx(1)


def test_only_as_many_classes_are_named_as_asked_for(red):
    assert predict(colour_model(), [red], 1, params=HERE)[0].classes == ("red",)
    assert len(predict(colour_model(), [red], 99, params=HERE)[0].classes) == 3


def test_no_class_at_all_is_refused(red):
    with pytest.raises(GreaterThanError, match="k is 0, but must be greater than 0"):
        predict(colour_model(), [red], 0, params=HERE)


def test_equal_classes_stand_in_the_order_of_the_class_list(tmp_path):
    Image.new("RGB", (32, 32), (99, 99, 99)).save(tmp_path / "grey.png")
    (found,) = predict(colour_model(), [tmp_path / "grey.png"], params=HERE)
    assert found.classes == ("red", "green", "blue")


def test_one_file_is_predicted_as_a_table_scores_it(make_pictures):
    images = make_pictures(per_class=2)
    table = score(colour_model(), images, params=HERE)
    files = [images.root / file for file in table.files.to_pylist()]
    for row, found in enumerate(predict(colour_model(), files, params=HERE)):
        assert found.classes[0] == table.scored_labels[row]
        assert found.probabilities[0] == pytest.approx(
            float(table.probabilities_NK[row].max()), abs=1e-6
        )


def test_files_that_cannot_be_used_say_why_and_the_others_go_on(red, tmp_path):
    (tmp_path / "text.jpg").write_text("<html>not found</html>")
    os.mkfifo(tmp_path / "pipe.png")
    files = [
        tmp_path / "gone.png",
        tmp_path / "text.jpg",
        tmp_path,
        tmp_path / "pipe.png",
        red,
    ]
    found = predict(colour_model(), files, params=HERE)
    assert [one.file for one in found] == [str(file) for file in files]
    assert [one.is_readable for one in found] == [False, False, False, False, True]
    assert "gone.png cannot be read: No such file" in found[0].error
    assert "text.jpg is an HTML page." in found[1].error
    assert "is no plain file" in found[2].error
    assert "imageloom score" in found[2].hint
    assert "is no plain file" in found[3].error
    assert found[0].classes == ()


def test_a_damaged_jpeg_is_an_error_and_the_decoders_say_nothing_on_the_terminal(tmp_path, capfd):
    noise_HWC = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(noise_HWC).save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(content[: len(content) // 2] + b"\xff\xd9")
    (tmp_path / "odd.jpg").write_bytes(content[:20] + b"junk" + content[20:])
    (tmp_path / "long.jpg").write_bytes(content + bytes(1_000_000))
    files = [tmp_path / name for name in ("half.jpg", "odd.jpg", "long.jpg")]
    half, odd, long = predict(colour_model(), files, params=HERE)
    assert half.error.endswith("half.jpg is damaged: its picture data end too early.")
    assert "Restore the file" in half.hint
    assert odd.is_readable
    assert long.is_readable
    assert capfd.readouterr() == ("", "")


def test_a_path_with_a_nul_character_is_an_error_of_its_file(red):
    bad, good = predict(colour_model(), ["/a\0b", red], params=HERE)
    assert "cannot be read: embedded null byte" in bad.error
    assert good.is_readable


def test_a_picture_that_is_too_small_for_the_crop_is_its_own_error(red, tmp_path):
    model = colour_model()
    crop_only = Preprocessing(
        transforms=(CenterCrop(size=36),), normalisation=model.preprocessing.normalisation
    )
    found = predict(dataclasses.replace(model, preprocessing=crop_only), [red], params=HERE)
    assert not found[0].is_readable
    assert "36" in found[0].error


def test_a_prediction_is_json(red, tmp_path):
    found = predict(colour_model(), [red, tmp_path / "gone.png"], 1, params=HERE)
    content = json.loads(json.dumps([one.to_json() for one in found]))
    assert content[0]["classes"] == [
        {"class": "red", "probability": pytest.approx(found[0].probabilities[0])}
    ]
    assert content[0]["error"] is None
    assert content[1]["classes"] == []


def test_progress_is_told_and_cancel_heard(red):
    cancel, events = CancelToken(), []

    def stop(event):
        events.append(event)
        cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError, match=r"Ctrl\+C"):
        predict(colour_model(), [red, red], params=HERE, on_event=stop, cancel=cancel)
    assert events == [Progress("Naming pictures", 1, 2, "images")]
