import dataclasses

import numpy as np
import pytest
import torch

from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.reach import Reach
from imageloom.errors import InvalidDatasetError, InvalidModelDirectoryError
from imageloom.events import ignore_events
from imageloom.models.model_directory import save_trained
from imageloom.scoring.explain import feature_files, nearest
from imageloom.scoring.explain.feature_files import FeatureFiles
from imageloom.scoring.explain.features import features_of
from imageloom.scoring.explain.nearest import most_similar, neighbours_in
from imageloom.scoring.model_in_use import model_in_use
from imageloom.scoring.model_process import models
from imageloom.scoring.model_process.kept import KeptFiles
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.seen import seen_file

from .made_models import real_model

HERE = ScoreParams(device="cpu", workers=0)


@pytest.fixture
def used():
    with model_in_use(
        dataclasses.replace(real_model(), digest="a" * 64), HERE, ignore_events
    ) as it:
        yield it


def test_the_most_similar_are_those_of_a_full_sort(monkeypatch):
    monkeypatch.setattr(nearest, "_ROWS_AT_A_TIME", 7)
    rows = np.random.default_rng(1).standard_normal((50, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    wanted = rows[3]
    expected = sorted(range(50), key=lambda row: -float(rows[row].astype(float) @ wanted))
    found = most_similar(rows, wanted, 9)
    assert [row for row, _ in found] == expected[:9]
    assert found[0] == (3, pytest.approx(1))
    assert [value for _, value in found] == pytest.approx(
        [float(rows[r] @ wanted) for r, _ in found]
    )


def test_equal_ones_stand_in_the_order_of_their_rows(monkeypatch):
    monkeypatch.setattr(nearest, "_ROWS_AT_A_TIME", 2)
    rows = np.tile(np.array([[0.6, 0.8]], np.float32), (5, 1))
    assert [row for row, _ in most_similar(rows, rows[0], 3)] == [0, 1, 2]


def test_fewer_pictures_than_asked_for_are_all_named():
    assert len(most_similar(np.eye(2, dtype=np.float32), np.array([1, 0], np.float32), 9)) == 2


def test_features_are_what_the_head_gets_with_length_one(used, make_pictures):
    images = make_pictures(per_class=1)
    file = images.root / images.file(0)
    image = seen_file(file, used.model.preprocessing.transforms)
    (found,) = features_of(used, image[None])
    with torch.no_grad():
        inputs = used.compute.inputs(image[None], used.model.preprocessing.normalisation)
        body = used.network.forward_features(inputs)  # timm's own way to them
        expected = used.network.forward_head(body, pre_logits=True)[0]
    torch.testing.assert_close(found, expected / expected.norm())
    assert found.norm().item() == pytest.approx(1)


def test_a_training_picture_is_nearest_to_itself(used, make_pictures, tmp_path):
    images = make_pictures(per_class=4)
    files = FeatureFiles(tmp_path / "features")
    assert files.find(used, images) is None
    assert list(files.make(used, images))[-1] == 12
    features = files.find(used, images)
    assert features.shape[0] == 12
    for row in (0, 5, 11):
        image = seen_file(images.root / images.file(row), used.model.preprocessing.transforms)
        wanted = features_of(used, image[None])[0].numpy()
        (best, *_) = neighbours_in(images, most_similar(features, wanted, 3))
        assert (best.position, best.file) == (row, images.file(row))
        assert best.label == images.classes[images.labels[row]]
        assert best.similarity == pytest.approx(1, abs=1e-5)


def test_features_of_another_model_or_other_pictures_are_not_taken(used, make_pictures, tmp_path):
    images, others = make_pictures(per_class=1), make_pictures(per_class=2)
    files = FeatureFiles(tmp_path)
    list(files.make(used, images))
    other = dataclasses.replace(used, model=dataclasses.replace(used.model, digest="b" * 64))
    assert files.find(used, images) is not None
    assert files.find(other, images) is None
    assert files.find(used, others) is None


def test_whoever_stops_early_or_finds_a_gone_picture_leaves_nothing(used, make_pictures, tmp_path):
    images = make_pictures(per_class=30)
    files = FeatureFiles(tmp_path)
    making = files.make(used, images)
    assert next(making) == 16
    making.close()
    assert list(tmp_path.iterdir()) == []
    (images.root / images.file(70)).unlink()
    with pytest.raises(InvalidDatasetError):
        list(files.make(used, images))
    assert list(tmp_path.iterdir()) == []


def test_files_not_used_for_longest_go_when_there_are_too_many(
    used, make_pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr(feature_files, "MOST_BYTES", 10)
    first, second = make_pictures(per_class=1, seed=1), make_pictures(per_class=1, seed=2)
    files = FeatureFiles(tmp_path)
    list(files.make(used, first))
    list(files.make(used, second))
    assert files.find(used, first) is None
    assert files.find(used, second) is not None


def test_a_model_that_was_never_saved_keeps_no_features(used, make_pictures, tmp_path):
    unsaved = dataclasses.replace(used, model=dataclasses.replace(used.model, digest=""))
    with pytest.raises(InvalidModelDirectoryError, match="never saved"):
        list(FeatureFiles(tmp_path).make(unsaved, make_pictures(per_class=1)))


def test_pictures_are_looked_at_step_by_step_and_the_last_step_names_the_alike(
    make_pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr(models, "_STEP_S", -1.0)  # each step is too long
    images = make_pictures(per_class=8)
    images.save(tmp_path / "images")
    save_trained(tmp_path / "model", real_model())
    cache = ThumbnailCache(tmp_path / "cache")
    cache.prepare()
    warm = models.WarmModels(KeptFiles(cache.folder), cache, tmp_path / "features", Reach(()))
    asked = (str(tmp_path / "model"), str(images.root), images.file(3), 4, str(tmp_path / "images"))
    first, second = warm.nearest(*asked), warm.nearest(*asked)
    assert (first.done, first.total, first.pictures) == (16, 24, ())
    assert second.done == second.total == 24
    assert second.pictures[0].file == images.file(3)
    assert all(one.thumbnail is not None for one in second.pictures)
