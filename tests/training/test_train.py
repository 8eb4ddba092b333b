"""Whole runs on small pictures; each run is real and takes a second or two."""

import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import torchvision
from networks import TINY
from PIL import Image
from safetensors.torch import load_file

from imageloom.data.images.directory import load_image_directory
from imageloom.data.loading.loader import make_loader
from imageloom.errors import (
    FailedToWriteOutputsError,
    GreaterThanOrEqualToError,
    InvalidDatasetError,
    LessThanOrEqualToError,
    NaNError,
    NotLabeledDatasetError,
    OutputInUseError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control, Metric, Notice, Progress, ignore_events
from imageloom.launch.params import LaunchParams
from imageloom.launch.train import resume, train, train_or_resume
from imageloom.models.model_directory import load_trained, make_untrained
from imageloom.models.params import ModelParams
from imageloom.preprocessing import Squash
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.train import NewRun

PLAIN = ModelParams()
QUICK = TrainParams(
    epochs=2, batch_size=8, learning_rate=0.02, precision="float32", print_frequency=1, workers=0
)


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=8), make_pictures(per_class=4, seed=1)


def quick(pictures, out, params=QUICK, **options):
    return train(TINY, *pictures, out, params=params, model_params=PLAIN, **options)


def weights(run):
    return (run / "model" / "weights.safetensors").read_bytes()


def metrics(run, name):
    return [one.value for one in read_metrics(run / "events.jsonl") if one.name == name]


@pytest.fixture(scope="module")
def quiet_run(pictures, tmp_path_factory):
    """A run that nothing disturbs."""
    return quick(pictures, tmp_path_factory.mktemp("quiet") / "run")


def test_a_run_directory_holds_everything(quiet_run):
    run = RunDirectory(quiet_run.run)
    record = run.read()
    assert record.state == "completed"
    assert record.epochs_done == 2
    assert record.params.batch_size == 8
    assert record.resolved.precision == "float32"
    assert record.data.training.images_per_class == {"red": 8, "green": 8, "blue": 8}
    assert "Epoch 1 of 2" in run.log.read_text()
    assert run.scores.is_file()
    assert "<html" in run.report.read_text()
    assert not run.error.exists()
    assert not (run.path / "MANIFEST.json").exists()  # the record changes while it runs
    assert {json.loads(line)["name"] for line in run.events.read_text().splitlines()} == {
        "Train loss",
        "Train error",
        "Train images per second",
        "Waiting for data fraction",
        "Valid loss",
        "Top-1 validation accuracy",
        "Top-5 validation accuracy",
        "learning rate",
    }


def test_the_published_model_has_the_figures_of_its_best_epoch(quiet_run):
    losses = metrics(quiet_run.run, "Valid loss")
    assert quiet_run.best_epoch == 1 + int(np.argmin(losses))
    model = load_trained(quiet_run.model)
    assert model.classes == ("red", "green", "blue")
    assert model.metrics["Valid loss"] == min(losses)
    assert quiet_run.metrics["Log_Loss"] == pytest.approx(min(losses), abs=1e-5)


@pytest.mark.slow
def test_an_untrained_model_in_memory_trains_as_its_name_does(quiet_run, pictures, tmp_path):
    again = train(
        make_untrained(TINY, PLAIN, control=Control()),
        *pictures,
        tmp_path / "run",
        params=QUICK,
    )
    assert weights(again.run) == weights(quiet_run.run)


@pytest.mark.slow
def test_f05_same_seed_same_weights_different_seed_different_weights(quiet_run, pictures, tmp_path):
    again = quick(pictures, tmp_path / "again")
    assert weights(again.run) == weights(quiet_run.run)
    other = quick(pictures, tmp_path / "other", QUICK.replace(seed=2))
    assert weights(other.run) != weights(quiet_run.run)


@pytest.mark.slow
def test_f05_weights_do_not_depend_on_the_number_of_readers(quiet_run, pictures, tmp_path):
    two = quick(pictures, tmp_path / "run", QUICK.replace(workers=2))
    assert weights(two.run) == weights(quiet_run.run)


@pytest.mark.slow
def test_the_callers_random_numbers_are_left_alone(pictures, tmp_path):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    quick(pictures, tmp_path / "run", QUICK.replace(epochs=1))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


class StopAt(CancelToken):
    """Asks to stop when the given number of progress events has been seen."""

    def __init__(self, events):
        super().__init__()
        self.left = events

    def __call__(self, event):
        if isinstance(event, Progress):
            self.left -= 1
            if self.left == 0:
                self.set("SIGTERM")


@pytest.mark.slow
@pytest.mark.parametrize("with_dropout", [False, True])
def test_i13_resuming_at_every_step_equals_never_having_stopped(
    pictures, tmp_path, monkeypatch, with_dropout
):
    # Without throttling there is one progress event per step, so each step is stopped at once.
    monkeypatch.setattr("imageloom.training.run.events.PROGRESS_INTERVAL_S", 0.0)
    model = ModelParams(dropout=0.5) if with_dropout else PLAIN
    quiet = train(TINY, *pictures, tmp_path / "quiet", params=QUICK, model_params=model)
    stops = 0
    out = tmp_path / "disturbed"
    stop = StopAt(1)
    try:
        train(
            TINY,
            *pictures,
            out,
            params=QUICK,
            model_params=model,
            on_event=stop,
            cancel=stop,
        )
    except RunInterruptedError:
        stops += 1
    while RunDirectory(out).read().state != "completed":
        stop = StopAt(2)  # one event further each time: progress must be made
        try:
            resume(out, on_event=stop, cancel=stop)
        except RunInterruptedError:
            assert RunDirectory(out).read().state == "interrupted"
            stops += 1
    assert stops >= 4
    assert weights(out) == weights(quiet.run)
    for name in ("Train loss", "Valid loss", "learning rate", "Top-1 validation accuracy"):
        assert metrics(out, name) == metrics(quiet.run, name), name


@pytest.mark.slow
def test_the_same_call_again_goes_on_where_the_first_was_stopped(quiet_run, pictures, tmp_path):
    def again(on_event=ignore_events, cancel=None):
        model = make_untrained(TINY, PLAIN, control=Control())
        new = NewRun(model, *pictures, tmp_path / "run", params=QUICK)
        control = Control.of(on_event, cancel)
        return train_or_resume(new, launch=LaunchParams(), control=control)

    stop = StopAt(2)
    with pytest.raises(RunInterruptedError, match="SIGTERM"):
        again(on_event=stop, cancel=stop)
    assert weights(again().run) == weights(quiet_run.run)


def test_i14_resuming_a_completed_run_does_nothing(quiet_run):
    before = weights(quiet_run.run), (quiet_run.run / "run.json").read_bytes()
    result = resume(quiet_run.run)
    assert result == quiet_run
    assert (weights(quiet_run.run), (quiet_run.run / "run.json").read_bytes()) == before


@pytest.mark.slow
def test_the_loop_is_the_textbook_loop(pictures, tmp_path):
    training, validation = (images.with_transforms((Squash(size=32),)) for images in pictures)
    params = QUICK.replace(warmup_epochs=0.5, seed=3, learning_rate=0.005)
    ours = train("resnet18", training, validation, tmp_path / "run", params=params)

    torch.manual_seed(3)
    network = torchvision.models.resnet18(num_classes=3)
    network = network.to(memory_format=torch.channels_last)
    flat = [p for p in network.parameters() if p.ndim == 1]
    deep = [p for p in network.parameters() if p.ndim > 1]
    optimizer = torch.optim.SGD(
        [{"params": deep, "weight_decay": 1e-4}, {"params": flat, "weight_decay": 0}],
        lr=0.005,
        momentum=0.9,
        nesterov=True,
        fused=True,
    )
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    def read(images, rows):
        (batch,) = make_loader(images, images.transforms, [rows])
        inputs = (batch.images_BCHW / 255 - mean) / std
        return inputs.contiguous(memory_format=torch.channels_last), batch.labels_B

    from imageloom.data.loading.sampler import epoch_order

    losses, valid_losses, step = [], [], 0
    for epoch in range(2):
        network.train()
        order = epoch_order(24, 3, epoch).tolist()
        for start in (0, 8, 16):
            # Six steps, one and a half of which (rounded to two) are warm-up.
            rate = (
                1e-4 + (0.005 - 1e-4) * step / 2
                if step < 2
                else (0.005 - 1e-7) * (1 - (step - 2) / 4) ** 2 + 1e-7
            )
            for group in optimizer.param_groups:
                group["lr"] = rate
            inputs, labels = read(training, order[start : start + 8])
            loss = torch.nn.functional.cross_entropy(network(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
        network.eval()
        with torch.no_grad():
            inputs, labels = read(validation, list(range(12)))
            valid_losses.append(torch.nn.functional.cross_entropy(network(inputs), labels).item())
    means = [np.mean(losses[:3]), np.mean(losses[3:])]
    expected = [losses[0], losses[1], means[0], losses[3], losses[4], means[1]]
    assert metrics(ours.run, "Train loss") == pytest.approx(expected, abs=1e-6)
    assert metrics(ours.run, "Valid loss") == pytest.approx(valid_losses, abs=1e-6)


def test_f10_a_loss_that_becomes_nan_stops_before_the_step_and_keeps_the_good_state(
    pictures, tmp_path
):
    params = QUICK.replace(learning_rate=0.03, epochs=30)
    training = pictures[0]
    out = tmp_path / "run"

    def poison(event):
        if isinstance(event, Metric) and event.step == 4:
            raise_nan[0] = True

    raise_nan = [False]
    import imageloom.training.step as step_module

    real = step_module.Stepper._backward

    def backward(self, batch):
        if raise_nan[0]:
            batch = step_module.MicroBatch(batch.inputs_BCHW * math.nan, batch.labels_B, 1.0)
        return real(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_module.Stepper, "_backward", backward)
        with pytest.raises(NaNError, match=r"loss is NaN in epoch 2 at step 5 .*rate 0\.02"):
            quick((training, pictures[1]), out, params, on_event=poison)
    run = RunDirectory(out)
    assert run.read().state == "failed"
    error = json.loads(run.error.read_text())
    assert error["code"] == "0032"
    assert "--learning-rate 0.003" in error["hint"]
    # The first epoch was good: its model is published and finite, and the last state is kept.
    assert all(
        tensor.isfinite().all() for tensor in load_file(run.model / "weights.safetensors").values()
    )
    newest = sorted(run.checkpoints.iterdir())[-1]
    assert newest.name == "step-000000004"
    assert all(t.isfinite().all() for t in load_file(newest / "network.safetensors").values())


@pytest.mark.slow
def test_f08_a_last_batch_of_one_trains(make_pictures, tmp_path):
    # 9 pictures in batches of 8 at 32 px with the standard stem leave one value per channel.
    training, validation = make_pictures(per_class=3), make_pictures(per_class=2, seed=1)
    result = train("resnet18", training, validation, tmp_path / "run", params=QUICK)
    assert result.epochs == 2
    network = torchvision.models.resnet18(num_classes=3)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        network(torch.zeros(1, 3, 32, 32))


@pytest.mark.slow
def test_f09_f18_sizes_that_cannot_work_are_refused_before_anything_is_written(
    make_pictures, tmp_path
):
    pictures = make_pictures(per_class=3), make_pictures(per_class=2, seed=1)
    with pytest.raises(GreaterThanOrEqualToError, match="batch_size is 1, but must be at least 2"):
        train("resnet18", *pictures, tmp_path / "a", params=QUICK.replace(batch_size=1))
    with pytest.raises(InvalidDatasetError, match=r"DenseNet-121 needs pictures of >= \d+ px"):
        train("densenet121", *pictures, tmp_path / "a", params=QUICK.replace(image_size=16))
    assert list(tmp_path.iterdir()) == []


def test_f06_a_batch_larger_than_the_pictures_is_refused_with_both_numbers(pictures, tmp_path):
    with pytest.raises(LessThanOrEqualToError, match="batch_size is 25, but there are 24"):
        quick(pictures, tmp_path / "run", QUICK.replace(batch_size=25))


@pytest.mark.slow
def test_f07_one_batch_of_all_pictures_is_a_step_and_never_an_empty_epoch(pictures, tmp_path):
    result = quick(pictures, tmp_path / "run", QUICK.replace(batch_size=24))
    assert len(metrics(result.run, "learning rate")) == 2  # one step in each of two epochs
    assert weights(result.run)
    # The old module left out an incomplete batch: 24 pictures over 2 processes of 24 made no step.
    from torch.utils.data import DataLoader

    assert len(DataLoader(range(12), batch_size=24, drop_last=True)) == 0


@pytest.mark.slow
def test_f17_grey_and_transparent_pictures_train_a_network_of_three_channels(tmp_path):
    generator = np.random.default_rng(0)
    for name, mode, channels in (("grey", "L", ()), ("clear", "RGBA", (4,)), ("16", "I;16", ())):
        folder = tmp_path / "pictures" / name
        folder.mkdir(parents=True)
        for number in range(4):
            kind = np.uint16 if mode == "I;16" else np.uint8
            pixels = generator.integers(0, 200, (32, 32, *channels)).astype(kind)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    folder = tmp_path / "pictures"
    result = train(TINY, folder, folder, tmp_path / "run", params=QUICK.replace(epochs=1))
    assert load_trained(result.model).classes == ("16", "clear", "grey")


def test_f20_an_operation_without_a_repeatable_form_is_named(pictures, tmp_path, monkeypatch):
    from imageloom.training.step import Stepper

    real = Stepper._gradient_norm

    def with_put(self):
        torch.zeros(3).put_(torch.tensor([0]), torch.tensor([1.0]))  # has no deterministic form
        return real(self)

    monkeypatch.setattr(Stepper, "_gradient_norm", with_put)
    heard = []
    params = QUICK.replace(epochs=1, deterministic=True)
    quick(pictures, tmp_path / "run", params, on_event=heard.append)
    warnings = [one.message for one in heard if isinstance(one, Notice) and one.level == "warning"]
    assert any("put_" in message for message in warnings)
    assert len(warnings) == len(set(warnings))


@pytest.mark.slow
def test_f03_warmup_as_long_as_the_run_finishes_and_publishes(pictures, tmp_path):
    result = quick(pictures, tmp_path / "run", QUICK.replace(warmup_epochs=2.0))
    assert result.model.is_dir()
    with pytest.raises(LessThanOrEqualToError, match=r"warmup_epochs is 2.5"):
        quick(pictures, tmp_path / "b", QUICK.replace(warmup_epochs=2.5))


@pytest.mark.slow
def test_c01_c02_pictures_without_labels_are_refused(pictures, tmp_path):
    training, validation = pictures
    labels = [-1] * len(training)
    column = training.index.schema.get_field_index("label")
    import pyarrow as pa

    index = training.index.set_column(
        column, training.index.schema.field(column), pa.array(labels, pa.int32())
    )
    unlabelled = type(training)((), index, training.root)
    with pytest.raises(
        NotLabeledDatasetError, match=r"None of the 24 training pictures in .* has a label"
    ):
        quick((unlabelled, validation), tmp_path / "run")
    with pytest.raises(
        NotLabeledDatasetError, match=r"None of the 24 validation pictures in .* has a label"
    ):
        quick((training, unlabelled), tmp_path / "run")


@pytest.mark.slow
def test_b14_c03_c04_c08_c20_class_lists_that_do_not_fit_are_refused(make_pictures, tmp_path):
    three, two = make_pictures(), make_pictures(classes=("red", "blue"))
    one = make_pictures(classes=("red",))
    with pytest.raises(InvalidDatasetError, match="validation pictures lack the class 'green'"):
        quick((three, two), tmp_path / "run")
    with pytest.raises(InvalidDatasetError, match="have the class 'green', which training lacks"):
        quick((two, three), tmp_path / "run")
    with pytest.raises(InvalidDatasetError, match="at least 2 classes"):
        quick((one, one), tmp_path / "run")
    with pytest.raises(InvalidDatasetError, match=r"no pictures in .* validation pictures"):
        quick((three, three.select(np.array([], dtype=np.int64))), tmp_path / "run")
    empty = three.select(np.arange(16))
    with pytest.raises(
        InvalidDatasetError, match="1 of 3 classes have no training picture: 'blue'"
    ):
        quick((empty, three), tmp_path / "run")


@pytest.mark.slow
def test_c03_validation_labels_are_joined_by_name(make_pictures, tmp_path):
    training = make_pictures(noise=5)
    # The same classes in another order: by position, every label would be wrong.
    turned = make_pictures(classes=("blue", "red", "green"), seed=1, noise=5)
    assert (turned.labels == make_pictures(seed=1).labels).all()
    result = quick((training, turned), tmp_path / "run", QUICK.replace(epochs=4))
    kept = load_image_directory(result.run / "validation_images")
    assert kept.classes == training.classes
    folders = [kept.file(row).split("/")[0] for row in range(len(kept))]
    assert [kept.classes[label] for label in kept.labels] == folders
    # What the picture's folder says, whatever anything of ours says of labels.
    scored = pq.read_table(result.run / "validation_scores.parquet").to_pydict()
    right = [
        name == file.split("/")[0]
        for name, file in zip(scored["Scored Labels"], scored["file"], strict=True)
    ]
    assert result.metrics["Top-1 validation accuracy"] == pytest.approx(np.mean(right))


@pytest.mark.slow
def test_f13_patience_stops_early_and_the_best_epoch_is_kept(pictures, tmp_path):
    # A rate of almost nothing leaves a network that only BatchNorm's statistics change.
    params = QUICK.replace(epochs=50, patience=1, learning_rate=2.2e-16)
    result = quick(pictures, tmp_path / "run", params)
    losses = metrics(result.run, "Valid loss")
    assert result.epochs == len(losses) < 50
    assert result.best_epoch == 1 + int(np.argmin(losses)) == result.epochs - 1


@pytest.mark.slow
def test_f15_the_last_step_of_an_epoch_is_always_recorded(pictures, tmp_path):
    result = quick(pictures, tmp_path / "run", QUICK.replace(print_frequency=1000))
    assert len(metrics(result.run, "learning rate")) == 2


@pytest.mark.slow
def test_a_frozen_body_does_not_move(pictures, quiet_run, tmp_path):
    params = QUICK.replace(freeze="body", epochs=1)
    result = train(quiet_run.model, *pictures, tmp_path / "run", params=params)
    before = load_file(quiet_run.model / "weights.safetensors")
    after = load_file(result.model / "weights.safetensors")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"fc.weight", "fc.bias"}


@pytest.mark.slow
def test_learning_goes_on_from_a_trained_model_with_classes_joined_by_name(
    make_pictures, quiet_run, tmp_path
):
    turned = make_pictures(classes=("blue", "red", "green"))
    params = QUICK.replace(epochs=1, learning_rate=2.2e-16)
    result = train(quiet_run.run, turned, turned, tmp_path / "run", params=params)
    assert load_trained(result.model).classes == ("blue", "red", "green")
    before = load_file(quiet_run.model / "weights.safetensors")["fc.weight"]
    after = load_file(result.model / "weights.safetensors")["fc.weight"]
    torch.testing.assert_close(before[[2, 0, 1]], after)


@pytest.mark.slow
def test_accumulated_batches_are_one_step(pictures, tmp_path):
    result = quick(pictures, tmp_path / "run", QUICK.replace(accumulation_steps=3))
    assert len(metrics(result.run, "learning rate")) == 2  # one step per epoch


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adamw"},
        {"class_weights": "balanced"},
        {"label_smoothing": 0.1},
        {"decay_norm_and_bias": True},
        {"precision": "bfloat16"},
        {"fit": "letterbox"},
        {"augmentation": "light"},
        {"augmentation": "trivialaugment"},
        {"learning_rate_decay": "cosine"},
        {"focal_gamma": 2.0},
        {"sampling": "balanced"},
        {"layer_decay": 0.5},
        {"mixup_alpha": 0.2},
        {"cutmix_alpha": 1.0},
        {"deterministic": True},
    ],
    ids=str,
)
def test_every_switch_changes_the_weights_or_is_exact(pictures, quiet_run, tmp_path, changes):
    result = quick(pictures, tmp_path / "run", QUICK.replace(**changes))
    same = "deterministic" in changes or changes.get("class_weights") == "balanced"
    # Classes are balanced here, so their weights are all 1; square pictures need no bars.
    if changes.get("fit") == "letterbox":
        same = True
    assert (weights(result.run) == weights(quiet_run.run)) == same


def test_i10_a_second_run_in_the_same_place_is_refused(pictures, quiet_run):
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        quick(pictures, quiet_run.run)


@pytest.mark.slow
def test_i10_a_run_that_another_process_writes_is_refused(pictures, tmp_path, quiet_run):
    stop = StopAt(1)
    with pytest.raises(RunInterruptedError, match="Stopped by SIGTERM at step 1") as stopped:
        quick(pictures, tmp_path / "run", on_event=stop, cancel=stop)
    assert f"imageloom train --resume {tmp_path / 'run'}" in str(stopped.value)
    with (
        RunDirectory(tmp_path / "run").locked(),
        pytest.raises(OutputInUseError, match="is being written by process"),
    ):
        resume(tmp_path / "run")
    with pytest.raises(FailedToWriteOutputsError, match="imageloom train --resume"):
        quick(pictures, tmp_path / "run")


@pytest.mark.slow
def test_i12_a_picture_changed_since_the_run_began_stops_the_resume(make_pictures, tmp_path):
    pictures = make_pictures(), make_pictures(per_class=2, seed=1)
    stop = StopAt(1)
    with pytest.raises(RunInterruptedError):
        quick(pictures, tmp_path / "run", on_event=stop, cancel=stop)
    for file in (pictures[0].root / "red").iterdir():
        file.write_bytes((pictures[0].root / "blue" / file.name).read_bytes())
    with pytest.raises(InvalidDatasetError, match=r"red/.* was changed after it was converted"):
        resume(tmp_path / "run")


@pytest.mark.slow
def test_a_resumed_run_reads_and_blends_pictures_as_it_would_have(pictures, tmp_path):
    """Of one picture, which a balanced epoch reads several times, each time in another part."""
    pictures = pictures[0].select(np.arange(17)), pictures[1]
    params = QUICK.replace(
        mixup_alpha=0.4,
        cutmix_alpha=1.0,
        augmentation="randaugment",
        sampling="balanced",
        layer_decay=0.75,
    )
    whole = quick(pictures, tmp_path / "whole", params)
    stop = StopAt(2)
    with pytest.raises(RunInterruptedError):
        quick(pictures, tmp_path / "cut", params, on_event=stop, cancel=stop)
    resume(tmp_path / "cut")
    assert weights(tmp_path / "cut") == weights(whole.run)


@pytest.mark.slow
def test_the_mean_of_the_weights_is_published_and_goes_on_when_a_run_is_resumed(pictures, tmp_path):
    params = QUICK.replace(average_decay=0.5, epochs=2)
    whole = quick(pictures, tmp_path / "whole", params)
    stop = StopAt(2)
    with pytest.raises(RunInterruptedError):
        quick(pictures, tmp_path / "cut", params, on_event=stop, cancel=stop)
    resume(tmp_path / "cut")
    assert weights(tmp_path / "cut") == weights(whole.run)
    published = load_file(whole.model / "weights.safetensors")
    kept = [
        (load_file(one / "average.safetensors"), load_file(one / "network.safetensors"))
        for one in sorted((whole.run / "checkpoints").iterdir())
        if one.name.endswith("end-of-epoch")
    ]
    means = kept[whole.best_epoch - 1 - whole.epochs]
    assert all(torch.equal(published[name], value) for name, value in means[0].items())
    assert any(not torch.equal(value, means[1][name]) for name, value in means[0].items())
