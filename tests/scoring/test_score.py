import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.params import ConvertParams
from imageloom.errors import (
    FailedToWriteOutputsError,
    InvalidDatasetError,
    InvalidModelDirectoryError,
    NaNError,
    ParameterParsingError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Progress
from imageloom.models.model_directory import save_trained
from imageloom.preprocessing import CenterCrop, RandomErasing, Resize
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.score import labels_by_model, score
from imageloom.scoring.tables.file import read_table

from .made_models import StrongestChannel, colour_model, real_model, small_network
from .made_tables import assert_same_rows

HERE = ScoreParams(workers=0, device="cpu", batch_size=4)


def test_every_picture_has_one_row_with_its_file_label_and_probabilities(make_pictures):
    images = make_pictures(per_class=3)
    table = score(colour_model(), images, params=HERE)
    assert table.files.to_pylist() == [images.file(row) for row in range(9)]
    assert table.labels == ("red",) * 3 + ("green",) * 3 + ("blue",) * 3
    assert table.scored_labels == table.labels
    assert table.accuracy == 1.0
    np.testing.assert_allclose(table.probabilities_NK.sum(axis=1), 1, atol=1e-6)
    assert table.root == images.root


def test_probabilities_are_the_softmax_of_the_logits(make_pictures):
    images = make_pictures(per_class=1, noise=1)
    table = score(colour_model(), images, params=HERE)
    means = [
        np.asarray(Image.open(images.root / file), dtype=np.float64).mean(axis=(0, 1)) / 255
        for file in table.files.to_pylist()
    ]
    odds = np.exp(10 * np.array(means))
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table.probabilities_NK, expected, atol=1e-5)


def test_a_crop_larger_than_a_picture_is_refused_before_any_is_scored(make_pictures, tmp_path):
    images, model = make_pictures(per_class=3), colour_model()
    crop = model.preprocessing.model_copy(update={"transforms": (CenterCrop(size=33),)})
    model = dataclasses.replace(model, preprocessing=crop)
    with pytest.raises(
        InvalidDatasetError,
        match=r"center crop of 33 pixels does not fit into 9 of the 9 pictures in .*: red/000.png "
        r"\(32 x 32\)",
    ):
        score(model, images, tmp_path / "scores.csv", params=HERE)
    assert model.network.calls == 0
    assert list(tmp_path.iterdir()) == []


def test_labels_are_joined_by_name_whatever_the_order_of_the_classes(make_pictures):
    images = make_pictures(per_class=2, classes=("green", "red"))
    table = score(colour_model(), images, params=HERE)
    assert table.classes == ("red", "green", "blue")
    assert table.labels == ("green", "green", "red", "red")
    assert table.accuracy == 1.0


def test_c04_classes_that_the_model_does_not_know_are_named(make_pictures):
    images = make_pictures(per_class=1, classes=("red", "grey"))
    with pytest.raises(
        InvalidDatasetError,
        match=r"1 class unknown to the model, of 2: 'grey'. The model knows 3: 'red'",
    ):
        score(colour_model(), images, params=HERE)


def test_a_nested_folder_is_scored_without_labels_on_request(make_pictures, tmp_path):
    folder = tmp_path / "station1" / "2024" / "may"
    folder.parent.mkdir(parents=True)
    shutil.copytree(make_pictures(per_class=2, classes=("red",)).root / "red", folder)
    with pytest.raises(InvalidDatasetError, match=r"of 1: 'may'. The model knows 3") as refused:
        score(colour_model(), tmp_path / "station1", params=HERE)
    assert "--labels none" in refused.value.hint
    none = ConvertParams(labels="none")
    table = score(colour_model(), tmp_path / "station1", params=HERE, convert_params=none)
    assert table.files.to_pylist() == ["2024/may/000.png", "2024/may/001.png"]
    assert table.labels is None
    assert table.scored_labels == ("red", "red")


def test_b13_pictures_without_labels_are_scored(make_pictures):
    labelled = make_pictures(per_class=2)
    column = labelled.index.schema.get_field_index("label")
    unknown = np.full(len(labelled), -1, dtype=np.int32)
    index = labelled.index.set_column(column, labelled.index.schema.field(column), [unknown])
    table = score(colour_model(), ImageDirectory((), index, labelled.root), params=HERE)
    assert table.labels is None
    assert table.scored_labels == ("red",) * 2 + ("green",) * 2 + ("blue",) * 2


def test_scores_do_not_depend_on_the_batch_size(make_pictures):
    images = make_pictures(per_class=6)  # 18, so that each size leaves some over
    trained = real_model()
    tables = [score(trained, images, params=HERE.replace(batch_size=size)) for size in (1, 4, 64)]
    for table in tables[1:]:
        np.testing.assert_array_equal(table.probabilities_NK, tables[0].probabilities_NK)


def test_scores_are_the_same_in_two_runs(make_pictures):
    images = make_pictures(per_class=3)
    trained = colour_model(network=small_network())
    assert_same_rows(score(trained, images, params=HERE), score(trained, images, params=HERE))


def test_the_models_preprocessing_is_used_and_not_the_pictures_own(make_pictures):
    images = make_pictures(per_class=2, size=40)
    carrying = images.with_transforms((Resize(size=8), CenterCrop(size=8), RandomErasing(p=1.0)))
    model = colour_model()
    assert_same_rows(score(model, images, params=HERE), score(model, carrying, params=HERE))


def test_the_table_is_published_and_reads_back_the_same(make_pictures, tmp_path):
    images = make_pictures(per_class=2)
    for suffix in (".parquet", ".csv"):
        table = score(colour_model(), images, tmp_path / f"scores{suffix}", params=HERE)
        assert_same_rows(read_table(tmp_path / f"scores{suffix}"), table)


def test_a_saved_model_and_a_run_score_as_the_model_in_memory(make_pictures, tmp_path):
    images = make_pictures(per_class=2)
    trained = real_model()
    saved = save_trained(tmp_path / "run" / "model", trained)
    (tmp_path / "run" / "run.json").write_text("{}")
    expected = score(trained, images, params=HERE)
    for path in (tmp_path / "run" / "model", str(tmp_path / "run")):
        table = score(path, images, params=HERE)
        assert_same_rows(table, expected)
        assert table.model_digest == saved.digest


def test_a_run_without_a_model_says_how_to_get_one(make_pictures, tmp_path):
    run = tmp_path / "my run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"state": "interrupted"}))
    with pytest.raises(
        InvalidModelDirectoryError, match=r"no model yet.*train --resume '.*my run'"
    ):
        score(run, make_pictures(per_class=1), params=HERE)


def test_progress_counts_pictures_and_tells_the_rate(make_pictures):
    events = []
    score(colour_model(), make_pictures(per_class=2), params=HERE, on_event=events.append)
    steps = [event for event in events if isinstance(event, Progress)]
    assert [(step.done, step.total, step.unit) for step in steps] == [
        (4, 6, "images"),
        (6, 6, "images"),
    ]
    assert steps[-1].text.endswith(" images/s")


def test_a_cancelled_scoring_publishes_nothing(make_pictures, tmp_path):
    cancel = CancelToken()
    seen = []

    def stop(event):
        seen.append(event)
        cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError, match=r"Ctrl\+C"):
        score(
            colour_model(),
            make_pictures(per_class=4),
            tmp_path / "scores.csv",
            params=HERE,
            on_event=stop,
            cancel=cancel,
        )
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_place_is_refused_before_the_network_runs(make_pictures, tmp_path):
    network = StrongestChannel()
    images = make_pictures(per_class=1)
    (tmp_path / "labels.csv").write_text("name,class\n")
    with pytest.raises(FailedToWriteOutputsError, match="no scored table"):
        score(colour_model(network=network), images, tmp_path / "labels.csv", params=HERE)
    with pytest.raises(ParameterParsingError, match=r"must end in \.parquet or \.csv"):
        score(colour_model(network=network), images, tmp_path / "scores.txt", params=HERE)
    assert int(network.calls) == 0
    assert (tmp_path / "labels.csv").read_text() == "name,class\n"


def test_no_pictures_are_refused(make_pictures):
    nothing = make_pictures(per_class=1).select(np.array([], dtype=np.int64))
    with pytest.raises(InvalidDatasetError, match="no pictures in"):
        score(colour_model(), nothing, params=HERE)


def test_a07_a_picture_that_changed_since_conversion_is_named_and_not_scored(make_pictures):
    images = make_pictures(per_class=2)
    path = images.root / "green" / "001.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidDatasetError, match=r"green/001\.png"):
        score(colour_model(), images, params=HERE)


class NotANumber(nn.Module):
    """Fails for green pictures, as a damaged network would."""

    def forward(self, images_BCHW):
        means = images_BCHW.mean(dim=(2, 3))
        return torch.where(means[:, 1:2] > means[:, :1], torch.nan, means)


def test_a_network_that_gives_no_number_names_the_picture(make_pictures):
    with pytest.raises(NaNError, match=r"green/000\.png"):
        score(colour_model(network=NotANumber()), make_pictures(per_class=2), params=HERE)


def test_names_that_are_not_utf_8_are_shown_escaped(make_pictures):
    images = make_pictures(per_class=1, classes=("red",))
    (images.root / "red" / "000.png").rename(
        (images.root / "red").joinpath(b"caf\xe9.png".decode("utf-8", "surrogateescape"))
    )
    column = images.index.schema.get_field_index("path")
    field = images.index.schema.field(column)
    index = images.index.set_column(column, field, [[b"red/caf\xe9.png"]])
    table = score(colour_model(), dataclasses.replace(images, index=index), params=HERE)
    assert table.files.to_pylist() == ["red/caf\\xe9.png"]


def test_labels_of_a_thousand_pictures_are_joined_by_name(make_pictures):
    images = make_pictures(per_class=1, classes=("blue", "red"))
    many = images.select(np.arange(1000) % 2)
    found = labels_by_model(many, ("red", "green", "blue"))
    assert found.tolist() == [2, 0] * 500


def test_a_plain_folder_is_scored(make_pictures):
    images = make_pictures(per_class=1)
    table = score(colour_model(), images.root, params=HERE)
    assert sorted(zip(table.files.to_pylist(), table.labels, strict=True)) == [
        ("blue/000.png", "blue"),
        ("green/000.png", "green"),
        ("red/000.png", "red"),
    ]
