"""Runs that read through the picture cache, on a tiny network."""

import os
import shutil

import pytest
from networks import TINY

from imageloom.data.loading.cache_files import files_of
from imageloom.errors import ParameterParsingError, RunInterruptedError
from imageloom.events import CancelToken, Notice, Progress
from imageloom.launch.train import resume, train
from imageloom.models.params import ModelParams
from imageloom.preprocessing import RandomCrop
from imageloom.settings import read_settings
from imageloom.training.params import TrainParams

PLAIN = ModelParams()
CACHED = TrainParams(
    epochs=2,
    batch_size=8,
    learning_rate=0.02,
    precision="float32",
    workers=0,
    image_size=66,
    picture_cache="resized",
)
SIDE = 76  # 66 x 8/7 is 75.4
BYTES_OF_A_COPY = 20 + 3 * SIDE * SIDE


class StopInTheMiddle(CancelToken):
    """Asks to stop after the first step of the second epoch."""

    def __call__(self, event):
        if isinstance(event, Progress) and event.stage.startswith("Epoch 2"):
            self.set("SIGTERM")


@pytest.fixture
def pictures(make_pictures):
    return make_pictures(size=100), make_pictures(per_class=2, size=100, seed=1)


def cached_run(pictures, out, params=CACHED, **options):
    return train(TINY, *pictures, out, params=params, model_params=PLAIN, **options)


def weights(run):
    return (run / "model" / "weights.safetensors").read_bytes()


def copies():
    return list(files_of(read_settings(os.environ).picture_cache))


def notices(told):
    return [event.message for event in told if isinstance(event, Notice)]


def test_a_resumed_run_ends_with_the_same_weights_after_the_cache_was_deleted(
    pictures, tmp_path, monkeypatch
):
    quiet = cached_run(pictures, tmp_path / "quiet")
    assert [file.size_bytes for file in copies()] == [BYTES_OF_A_COPY] * 24  # training only
    monkeypatch.setattr("imageloom.training.run.events.PROGRESS_INTERVAL_S", 0.0)
    stop = StopInTheMiddle()
    with pytest.raises(RunInterruptedError):
        cached_run(pictures, tmp_path / "stopped", on_event=stop, cancel=stop)
    shutil.rmtree(read_settings(os.environ).picture_cache)
    resume(tmp_path / "stopped")
    assert len(copies()) == 16, "those of the two batches that were left"
    assert weights(tmp_path / "stopped") == weights(quiet.run)


def test_a_cache_that_is_too_small_is_told_and_changes_no_weight(pictures, tmp_path, monkeypatch):
    expected = weights(cached_run(pictures, tmp_path / "all").run)
    limit = (10 * BYTES_OF_A_COPY + 1) / 2**30
    monkeypatch.setenv("IMAGELOOM_PICTURE_CACHE_LIMIT_GIB", f"{limit}")
    told = []
    result = cached_run(pictures, tmp_path / "few", on_event=told.append)
    assert weights(result.run) == expected
    assert len(copies()) == 10
    removed, too_small = (one for one in notices(told) if "caled copies" in one)
    assert removed.startswith("14 scaled copies")
    assert "of the 24 training pictures" in too_small
    assert "Those of 10 are kept" in too_small


def test_without_the_parameter_nothing_is_cached_and_pixels_are_others(pictures, tmp_path):
    exact = cached_run(pictures, tmp_path / "a", CACHED.replace(picture_cache="off", epochs=1))
    assert not copies()
    scaled = cached_run(pictures, tmp_path / "b", CACHED.replace(epochs=1))
    assert weights(exact.run) != weights(scaled.run)


def test_transforms_that_count_pixels_of_the_originals_are_refused_before_a_run(pictures, tmp_path):
    training = pictures[0].with_transforms((RandomCrop(size=66),))
    params = CACHED.replace(image_size=None)
    with pytest.raises(ParameterParsingError, match="random_crop comes before they scale"):
        cached_run((training, pictures[1]), tmp_path / "run", params)
    assert not (tmp_path / "run").exists()
