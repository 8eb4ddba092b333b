"""Real trainings as people start them, read back by TensorBoard's own reader."""

import json

import pytest
from networks import TINY
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from imageloom import build_pipeline, run_pipeline
from imageloom.cli.root import run
from imageloom.errors import InvalidPipelineError, RunInterruptedError
from imageloom.events import CancelToken, Metric, Notice
from imageloom.launch.params import LaunchParams
from imageloom.launch.train import resume, train
from imageloom.tracking.position import position_file, read_position, remembered_trackers
from imageloom.training.params import TrainParams

pytestmark = pytest.mark.slow
PARAMS = {"epochs": 2, "batch_size": 8, "workers": 0, "print_frequency": 1, "device": "cpu"}
STEPS = [1, 2, 3, 4, 5, 6]  # of 24 pictures


@pytest.fixture(scope="module")
def pictures(make_pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    make_pictures().save(folder / "training")
    make_pictures(per_class=4, seed=1).save(folder / "validation")
    return folder / "training", folder / "validation"


def read(folder):
    accumulator = EventAccumulator(str(folder / "tensorboard"), {"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def steps(folder, tag):
    return [event.step for event in read(folder).Scalars(tag)]


def states(folder):
    return [event.tensor_proto.string_val[0].decode() for event in read(folder).Tensors("state")]


def test_a_training_that_was_stopped_and_resumed_is_shown_once(pictures, tmp_path):
    cancel, out = CancelToken(), tmp_path / "run"

    def stop(event):
        if isinstance(event, Metric) and event.step == 4:
            cancel.set("SIGINT")

    params = TrainParams.parse(PARAMS)
    track = ("tensorboard",)
    with pytest.raises(RunInterruptedError):
        train(TINY, *pictures, out, params=params, track=track, on_event=stop, cancel=cancel)
    assert remembered_trackers(out) == track
    resume(out)
    assert run(["track", str(out)]) == 0  # has nothing more to tell
    assert steps(out, "step/Train loss") == STEPS
    assert steps(out, "learning rate") == STEPS
    assert states(out)[-1] == "completed"
    told = {event.name: event for event in metrics(out)}
    for name, event in told.items():
        if name not in ("learning rate", "Train loss"):
            assert read(out).Scalars(name)[-1].value == pytest.approx(event.value, rel=1e-6)


def metrics(out):
    from imageloom.training.run.events import read_metrics

    return read_metrics(out / "events.jsonl")


def test_a_run_goes_on_without_a_tracker_that_lacks_something_now(pictures, tmp_path, monkeypatch):
    out, told = tmp_path / "run", []
    train(TINY, *pictures, out, params=TrainParams.parse(PARAMS))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    read_position(position_file(out, "mlflow"))  # as one that was tracked there
    read_position(position_file(out, "not-ours"))
    resume(out, on_event=told.append)
    warnings = [event.message for event in told if isinstance(event, Notice)][:2]
    assert warnings[0].startswith("Tracking with MLflow needs MLFLOW_TRACKING_URI")
    assert f"catch up with: imageloom track {out}" in warnings[0]
    assert warnings[1].startswith("There is no tracker called 'not-ours'.")


def test_several_processes_are_shown_each_under_its_number(pictures, tmp_path):
    out = tmp_path / "run"
    launch = LaunchParams(processes_per_node=2)
    params = TrainParams.parse({**PARAMS, "batch_size": 4})
    train(TINY, *pictures, out, params=params, launch=launch, track=("tensorboard",))
    assert steps(out, "step/Step time") == steps(out, "step/rank 1/Step time") == STEPS
    assert steps(out, "Valid loss") == [3, 6]
    assert "rank 1/Valid loss" not in read(out).Tags()["scalars"]


def test_a_run_that_nobody_tracked_is_tracked_later_and_says_so(pictures, tmp_path, capsys):
    out = tmp_path / "run"
    train(TINY, *pictures, out, params=TrainParams.parse(PARAMS))
    assert run(["track", str(out)]) == 1
    assert f"imageloom track {out} --to tensorboard" in capsys.readouterr().err.replace("\n", "")
    assert run(["track", str(out), "--to", "tensorboard", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["trackers"]
    assert told == {
        "training": "run",
        "tracker": "tensorboard",
        "place": str(out / "tensorboard"),
        "is_complete": True,
        "problem": "",
    }
    assert steps(out, "step/Train loss") == STEPS


def pipeline_of(pictures, **settings):
    build = build_pipeline("Tracked")
    parts = [
        build.add("convert_to_image_directory", build.add("dataset", path=str(part), id=part.name))
        for part in pictures
    ]
    network = build.add("timm", model_name=TINY.removeprefix("timm/"), pretrained=False)
    for number, rate in enumerate((0.001, 0.002), start=1):
        more = {**PARAMS, "learning_rate": rate}
        build.add(
            "train_pytorch_model",
            network,
            *parts,
            id=f"train{number}",
            settings=settings if number == 1 else {},
            **more,
        )
    return build


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path / "workspace"


def test_each_node_that_trains_is_shown_as_it_asks_or_as_its_person_always_wants(
    pictures, workspace, monkeypatch, capsys
):
    monkeypatch.setenv("IMAGELOOM_TRACK", "tensorboard")
    folders = pictures_as_folders(pictures)
    outcome = run_pipeline(pipeline_of(folders, track=["none"]))
    first, second = (outcome.run.node_folder(f"train{number}") for number in (1, 2))
    assert not (first / "tensorboard").exists()
    assert steps(second, "step/Train loss") == STEPS
    assert states(second)[-1] == "completed"
    (model,) = read(second).Tensors("model")
    assert str(second / "outputs" / "model") in model.tensor_proto.string_val[0].decode()
    assert run(["track", outcome.run.id, "--to", "tensorboard", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["trackers"]
    assert [one["training"].partition("/")[2] for one in told] == ["train1", "train2"]
    assert steps(first, "step/Train loss") == steps(second, "step/Train loss") == STEPS


def test_a_tracker_that_is_not_ready_is_a_problem_of_the_pipeline(pictures, workspace, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    build = pipeline_of(pictures_as_folders(pictures), track=["mlflow", "tensorboard"])
    with pytest.raises(InvalidPipelineError, match="needs MLFLOW_TRACKING_URI") as caught:
        run_pipeline(build)
    assert "train1" in caught.value.message
    assert not list((workspace / "runs").glob("*")) if workspace.exists() else True


def pictures_as_folders(pictures):
    """Return the folders of pictures, as a pipeline reads them."""
    from imageloom.data.images.directory import load_image_directory

    return [load_image_directory(one).root for one in pictures]
