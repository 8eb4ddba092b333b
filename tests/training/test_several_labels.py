"""Whole runs on pictures with several labels each, and what is particular to them."""

import math

import numpy as np
import pytest
import torch
import torchvision
from made_label_sets import LABELS, SEVERAL, label_set_pictures, write_label_sets
from networks import TINY
from torch import nn

from imageloom.data.convert import convert
from imageloom.data.images.split import split
from imageloom.data.params import SplitParams
from imageloom.errors import InvalidDatasetError, ParameterParsingError, RunInterruptedError
from imageloom.events import CancelToken, Metric
from imageloom.launch.train import resume, train
from imageloom.metrics import best_thresholds
from imageloom.models.compute import Compute
from imageloom.models.model_directory import load_trained
from imageloom.models.params import ModelParams
from imageloom.scoring.score import score
from imageloom.scoring.tables.file import read_any_table
from imageloom.training.calibration import fitted_temperature
from imageloom.training.criterion import LabelSetLoss, make_label_set_criterion, positive_weights
from imageloom.training.figures import LABEL_SET_EPOCH_UNITS
from imageloom.training.micro_batch import MicroBatch
from imageloom.training.mixing import mixed
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.step import num_right

PARAMS = TrainParams(
    epochs=6,
    batch_size=16,
    learning_rate=0.1,
    warmup_epochs=1,
    precision="float32",
    augmentation="none",
    print_frequency=4,
    workers=0,
    patience=10,
)
CPU = Compute(device=torch.device("cpu"), precision="float32")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    images = label_set_pictures(tmp_path_factory.mktemp("sets"), 160)
    return split(images, SplitParams(fraction=0.75))


@pytest.fixture(scope="module")
def learned(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return train(TINY, *pictures, out, params=PARAMS, model_params=ModelParams())


def test_a_made_set_is_learned_and_its_answer_is_known(learned, pictures, tmp_path):
    unseen = label_set_pictures(tmp_path, 60, seed=9)
    table = score(learned.model, unseen)
    assert table.labels_NK.tolist() == unseen.label_sets.tolist()
    assert (table.labels_NK == table.predicted_NK).mean() > 0.95
    assert learned.metrics["Mean_Average_Precision"] > 0.95
    assert learned.metrics["Micro_F1"] > 0.9
    assert learned.report.is_file()
    assert "Precision against recall" in learned.report.read_text(encoding="utf-8")


def test_the_model_remembers_thresholds_that_suit_the_validation_pictures_best(learned, pictures):
    model = load_trained(learned.model)
    table = score(learned.model, pictures[1])
    assert model.classes == LABELS
    assert model.label_thresholds == best_thresholds(table.labels_NK, table.probabilities_NK)
    kept = read_any_table(RunDirectory(learned.run).scores)
    assert kept.thresholds == model.label_thresholds
    assert np.array_equal(kept.predicted_NK, table.predicted_NK)
    assert table.thresholds == model.label_thresholds


def test_figures_of_each_epoch_have_names_of_their_own(learned):
    epochs = {one.epoch: [] for one in read_metrics(learned.run / "events.jsonl")}
    for one in read_metrics(learned.run / "events.jsonl"):
        epochs[one.epoch].append(one.name)
    assert set(LABEL_SET_EPOCH_UNITS) <= set(epochs[1])
    assert "Top-1 validation accuracy" not in epochs[1]


def test_a_run_that_was_stopped_and_resumed_has_the_bits_of_one_that_was_not(
    learned, pictures, tmp_path
):
    cancel = CancelToken()

    def stop(event):
        if isinstance(event, Metric) and event.step >= 12:
            cancel.set("asked by a test")

    with pytest.raises(RunInterruptedError):
        train(
            TINY,
            *pictures,
            tmp_path / "run",
            params=PARAMS,
            model_params=ModelParams(),
            on_event=stop,
            cancel=cancel,
        )
    result = resume(tmp_path / "run")
    for file in ("weights.safetensors", "model.json"):
        assert (result.model / file).read_bytes() == (learned.model / file).read_bytes()


def test_one_label_each_cannot_validate_several(pictures, make_pictures, tmp_path):
    one = make_pictures(classes=("red", "green", "blue"))
    with pytest.raises(InvalidDatasetError, match="training pictures may have several labels"):
        train(TINY, pictures[0], one, tmp_path / "run", params=PARAMS, model_params=ModelParams())
    with pytest.raises(InvalidDatasetError, match="validation pictures may have several labels"):
        train(TINY, one, pictures[1], tmp_path / "run", params=PARAMS, model_params=ModelParams())


def test_balanced_sampling_is_refused_before_anything_is_written(pictures, tmp_path):
    params = TrainParams(sampling="balanced")
    with pytest.raises(ParameterParsingError, match="several labels each") as problem:
        train(TINY, *pictures, tmp_path / "run", params=params, model_params=ModelParams())
    assert problem.value.details["parameter"] == "sampling"
    assert not (tmp_path / "run").exists()


@pytest.fixture
def batch():
    numbers = torch.Generator().manual_seed(4)
    logits_BK = torch.randn(9, 4, generator=numbers) * 3
    return logits_BK, (torch.rand(9, 4, generator=numbers) < 0.4).float()


def test_the_loss_is_torch_s_summed_over_labels(batch):
    logits_BK, labels_BK = batch
    weight_K = torch.tensor([0.5, 1.0, 2.0, 3.0])
    theirs = nn.BCEWithLogitsLoss(pos_weight=weight_K, reduction="sum")(logits_BK, labels_BK) / 9
    assert LabelSetLoss(weight_K, 0.0, 0.0)(logits_BK, labels_BK) == pytest.approx(float(theirs))


def test_the_focal_loss_is_torchvision_s(batch):
    theirs = torchvision.ops.sigmoid_focal_loss(*batch, alpha=-1, gamma=2.0, reduction="sum") / 9
    assert float(LabelSetLoss(None, 0.0, 2.0)(*batch)) == pytest.approx(float(theirs), rel=1e-5)


def test_label_smoothing_moves_targets_to_the_middle(batch):
    logits_BK, labels_BK = batch
    theirs = nn.functional.binary_cross_entropy_with_logits(
        logits_BK, labels_BK * 0.8 + 0.1, reduction="sum"
    )
    ours = LabelSetLoss(None, 0.2, 0.0)(logits_BK, labels_BK)
    assert float(ours) == pytest.approx(float(theirs) / 9, rel=1e-6)


def test_balanced_weights_let_both_answers_of_a_label_weigh_the_same(pictures):
    training = pictures[0]
    weights_K = positive_weights(training, TrainParams(class_weights="balanced"))
    counts_K = training.label_sets.sum(axis=0)
    assert weights_K * counts_K == pytest.approx(len(training) - counts_K)
    made = make_label_set_criterion(weights_K, TrainParams(class_weights="balanced"), CPU)
    assert made.positive_weight.tolist() == pytest.approx(weights_K.tolist())


def test_blended_pictures_learn_from_blended_labels(batch):
    logits_BK, labels_BK = batch
    inputs_BCHW = torch.randn(9, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    found = mixed(
        MicroBatch(inputs_BCHW, labels_BK, 1.0), TrainParams(mixup_alpha=0.4), epoch=0, first=0
    )
    part = found.mixed_in.part
    blended_BK = (1 - part) * labels_BK + part * labels_BK.roll(1, 0)
    loss = LabelSetLoss(None, 0.0, 0.0)
    ours = (1 - part) * loss(logits_BK, found.labels_B)
    ours += part * loss(logits_BK, found.mixed_in.labels_B)
    assert float(ours) == pytest.approx(float(loss(logits_BK, blended_BK)), rel=1e-6)


def test_a_picture_is_right_with_all_its_labels_and_no_other():
    logits_BK = torch.tensor([[1.0, -1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]])
    labels_BK = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    assert int(num_right(logits_BK, labels_BK)) == 2


def test_the_temperature_is_where_binary_cross_entropy_is_least(batch):
    logits_BK, labels_BK = batch
    found = fitted_temperature(logits_BK, labels_BK)

    def loss(temperature):
        return float(
            nn.functional.binary_cross_entropy_with_logits(logits_BK / temperature, labels_BK)
        )

    around = np.geomspace(found / 2, found * 2, 41)
    assert math.isclose(min(map(loss, around)), loss(found), abs_tol=1e-9)


def test_one_label_alone_is_refused_with_what_to_do(tmp_path):
    rows = write_label_sets(tmp_path / "pictures", 4)
    table = "".join(f"{name},{'dog' if at else ''}\n" for at, (name, _) in enumerate(rows))
    (tmp_path / "pictures" / "labels.csv").write_text(f"file,labels\n{table}")
    alone = convert(tmp_path / "pictures" / "labels.csv", tmp_path / "images", params=SEVERAL)
    with pytest.raises(InvalidDatasetError, match=r"no label but 'dog'; .* at least 2") as refused:
        train(TINY, alone, alone, tmp_path / "run", params=PARAMS, model_params=ModelParams())
    assert "'dog' or 'other'" in refused.value.hint
    assert "sub-folder" not in refused.value.hint
