"""Training that can be stopped at any time, and what is done with its model."""

import dataclasses
import json

import pytest
from made_label_sets import label_set_pictures

from imageloom.components import train_pytorch_model
from imageloom.components.catalogue import load_components
from imageloom.errors import (
    CannotResumeError,
    EnvironmentUnsuitableError,
    InvalidModelDirectoryError,
    NotScoredDatasetError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Metric, Progress
from imageloom.files.series.read import list_series, read_series
from imageloom.models.model_directory import create_model, load_trained
from imageloom.scoring.tables.directory import load_scores
from imageloom.spec.run_settings import RunSettings
from imageloom.training.run.directory import RunDirectory

COMPONENTS = load_components()
TRAIN = COMPONENTS.get("train_pytorch_model")
SCORE = COMPONENTS.get("score_image_model")
EVALUATE = COMPONENTS.get("evaluate_model")
QUICK = {
    "epochs": 2,
    "batch_size": 4,
    "image_size": 32,
    "augmentation": "none",
    "device": "cpu",
    "workers": 0,
    "print_frequency": 1,
}


@pytest.fixture(scope="module")
def inputs(make_pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    make_pictures(per_class=6, classes=("red", "green")).save(folder / "training")
    make_pictures(per_class=3, classes=("red", "green"), seed=1).save(folder / "validation")
    create_model("timm/test_resnet", folder / "model")
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def train(make_task, inputs):
    """Return a function that makes a task of training."""

    def train(**more):
        return make_task(TRAIN, inputs, params=QUICK, **more)

    return train


class StopAt(CancelToken):
    """Asks to stop when a training of so many steps was seen."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def __call__(self, event):
        self.steps -= isinstance(event, Metric) and event.name == "Train loss"
        if self.steps == 0:
            self.set("SIGTERM")


def rows_of(folder, name, kind):
    (one,) = [one for one in list_series(folder) if (one.name, one.kind) == (name, kind)]
    return read_series(one.path, 0, one.num_rows)


def weights(task):
    return (task.outputs["model"] / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def trained(inputs, tmp_path_factory):
    """The model of a training that nothing disturbs."""
    from imageloom.launch.train import train
    from imageloom.training.params import TrainParams

    run = tmp_path_factory.mktemp("quiet") / "run"
    train(**inputs, out=run, params=TrainParams.parse(QUICK))
    return run / "model"


@pytest.fixture
def quiet(trained):
    """Its weights."""
    return (trained / "weights.safetensors").read_bytes()


@pytest.mark.slow
def test_it_publishes_the_model_and_keeps_what_people_read(train, quiet):
    events = []
    task = train(on_event=events.append)
    TRAIN.run(task)
    assert weights(task) == quiet
    assert load_trained(task.outputs["model"]).classes == ("red", "green")
    assert "<html" in (task.record / "report.html").read_text()
    rows = (task.record / "train_events.jsonl").read_text().splitlines()
    told = [event for event in events if isinstance(event, Metric)]
    assert [json.loads(row)["name"] for row in rows] == [metric.name for metric in told]
    assert "Epoch 2 of 2" in (task.record / "train.log").read_text()
    losses = rows_of(task.record / "series", "Train loss", "step")
    assert [row.step for row in losses] == list(range(1, 7))  # 12 pictures in batches of 4, twice


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 4])
def test_stopped_at_any_step_it_goes_on_in_the_same_scratch(train, quiet, steps):
    stop = StopAt(steps)
    stopped = train(on_event=stop, cancel=stop)
    with pytest.raises(RunInterruptedError, match="SIGTERM"):
        TRAIN.run(stopped)
    assert not stopped.outputs["model"].exists()
    assert (stopped.record / "train_events.jsonl").is_file()
    losses = rows_of(stopped.record / "series", "Train loss", "step")
    assert [row.step for row in losses] == list(range(1, steps + 1))
    assert (stopped.scratch / "run" / "model").exists() == (steps > 3)
    again = train(scratch=stopped.scratch, record=stopped.record)
    TRAIN.run(again)
    assert weights(again) == quiet
    losses = rows_of(again.record / "series", "Train loss", "step")
    assert [row.step for row in losses] == list(range(1, 7))


@pytest.mark.slow
def test_a_training_that_ended_before_its_model_was_published_is_not_done_again(train, quiet):
    first = train()
    TRAIN.run(first)
    events = []
    again = train(scratch=first.scratch, on_event=events.append)
    TRAIN.run(again)
    assert weights(again) == quiet
    assert not [event for event in events if isinstance(event, Progress | Metric)]


@pytest.mark.slow
def test_something_else_in_scratch_is_cleared(train, quiet):
    task = train()
    (task.scratch / "run" / "half").mkdir(parents=True)
    TRAIN.run(task)
    assert weights(task) == quiet


@pytest.mark.slow
def test_i11_without_a_whole_checkpoint_it_does_not_silently_start_anew(train):
    stop = StopAt(1)
    stopped = train(on_event=stop, cancel=stop)
    with pytest.raises(RunInterruptedError, match="SIGTERM"):
        TRAIN.run(stopped)
    for file in (stopped.scratch / "run" / "checkpoints").rglob("*.safetensors"):
        file.write_bytes(b"")
    with pytest.raises(CannotResumeError, match="holds no whole checkpoint"):
        TRAIN.run(train(scratch=stopped.scratch))


def test_several_machines_need_a_network_that_a_person_or_the_target_names(train):
    with pytest.raises(EnvironmentUnsuitableError, match="needs a network interface"):
        TRAIN.run(train(settings=RunSettings(node_count=2)))


@pytest.mark.slow
def test_two_processes_train_together_and_leave_their_logs(train):
    task = train(settings=RunSettings(processes_per_node=2))
    TRAIN.run(task)
    assert load_trained(task.outputs["model"]).classes == ("red", "green")
    logs = sorted(path.name for path in (task.record / "logs").iterdir())
    assert logs == ["70_driver_log_1.txt", "70_mpi_log.txt"]  # 0 is train.log, as ever
    assert "Epoch 2 of 2" in (task.record / "train.log").read_text()


def test_the_log_of_a_scheduler_is_not_replaced_and_ours_grows(tmp_path):
    run, record = RunDirectory(tmp_path / "run"), tmp_path / "record"
    log = run.log.with_name("70_mpi_log.txt")
    kept = record / "logs" / "70_mpi_log.txt"
    for folder in (log.parent, kept.parent):
        folder.mkdir(parents=True)
    kept.write_text("srun: waiting\n", encoding="utf-8")
    log.write_text("Starting 2 ranks.\n", encoding="utf-8")
    train_pytorch_model._keep_for_people(run, record)
    assert kept.read_text(encoding="utf-8") == "srun: waiting\n"
    kept.unlink()
    for text in ("Starting 2 ranks.\n", "Starting 2 ranks.\nand again\n"):
        log.write_text(text, encoding="utf-8")
        train_pytorch_model._keep_for_people(run, record)
        assert kept.read_text(encoding="utf-8") == text


@pytest.mark.slow
def test_e15_a_trained_model_does_not_pass_for_an_untrained_one(train, trained):
    task = train()
    with pytest.raises(InvalidModelDirectoryError, match="is a trained model, but an untrained"):
        TRAIN.run(dataclasses.replace(task, inputs={**task.inputs, "model": trained}))


@pytest.fixture
def scores(trained, inputs, make_task):
    """Scores of the validation pictures."""
    images = {"model": trained, "images": inputs["validation"]}
    scored = make_task(SCORE, images, params={"device": "cpu", "workers": 0})
    SCORE.run(scored)
    return scored.outputs["scores"]


def names_of(folder):
    content = json.loads((folder / "evaluation.json").read_text())
    return [row["name"] for row in content["rows"]]


def test_a_model_scores_and_is_evaluated(scores, make_task):
    assert len(load_scores(scores)) == 6
    task = make_task(EVALUATE, {"scores": scores})
    EVALUATE.run(task)
    assert names_of(task.outputs["evaluation"]) == ["scores"]
    report = (task.outputs["evaluation"] / "report.html").read_text()
    assert (task.record / "report.html").read_text() == report
    assert "data:image/png;base64," in report  # thumbnails of the mistakes: the pictures are found


def test_two_tables_are_called_left_and_right(scores, make_task):
    task = make_task(EVALUATE, {"other": scores, "scores": scores})
    EVALUATE.run(task)
    assert names_of(task.outputs["evaluation"]) == ["left", "right"]


def test_pictures_with_several_labels_go_all_the_way(make_task, inputs, tmp_path):
    label_set_pictures(tmp_path / "training", 24).save(tmp_path / "learned")
    label_set_pictures(tmp_path / "validation", 12, seed=1).save(tmp_path / "measured")
    training = make_task(
        TRAIN,
        inputs | {"training": tmp_path / "learned", "validation": tmp_path / "measured"},
        params=QUICK,
    )
    TRAIN.run(training)
    scoring = make_task(
        SCORE, {"model": training.outputs["model"], "images": tmp_path / "measured"}
    )
    SCORE.run(scoring)
    table = load_scores(scoring.outputs["scores"])
    assert table.labels_NK.shape == (12, 3)
    evaluating = make_task(EVALUATE, {"scores": scoring.outputs["scores"]})
    EVALUATE.run(evaluating)
    content = json.loads((evaluating.outputs["evaluation"] / "evaluation.json").read_text())
    assert content["evaluations"][0]["several_labels"] is True
    comparing = make_task(
        EVALUATE, {"scores": scoring.outputs["scores"], "other": scoring.outputs["scores"]}
    )
    with pytest.raises(NotScoredDatasetError, match="left may have several labels"):
        EVALUATE.run(comparing)
