"""A run whose pictures were moved while it was interrupted."""

import shutil

import pytest
from networks import TINY

from imageloom.data.images.directory import ImageDirectory
from imageloom.errors import InvalidDatasetError, OutputInUseError
from imageloom.events import Control, Notice, ignore_events
from imageloom.launch.cluster.rendezvous import MeetingPlace
from imageloom.launch.train import resume
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.pictures import open_pictures, point_anew
from imageloom.training.train import NewRun, prepare_run

from .rank_processes import continue_on_ranks

QUICK = TrainParams(epochs=1, batch_size=4, image_size=32, precision="float32", workers=0)


@pytest.fixture
def old(make_pictures, tmp_path):
    """A folder with the pictures of a run in two parts."""
    parts = {"train": make_pictures(per_class=4), "val": make_pictures(per_class=2, seed=1)}
    (tmp_path / "old").mkdir()
    for name, images in parts.items():
        images.root.rename(tmp_path / "old" / name)
    pictures = [
        ImageDirectory(images.classes, images.index, tmp_path / "old" / name)
        for name, images in parts.items()
    ]
    prepare_run(NewRun(TINY, *pictures, tmp_path / "run", params=QUICK), control=Control())
    return tmp_path / "old"


@pytest.fixture
def run(old, tmp_path):
    return RunDirectory(tmp_path / "run")


@pytest.fixture
def new(old, run):
    return old.rename(old.with_name("new"))


def state(run):
    """Every file of the run that says where its pictures lie."""
    files = [run.record, *run.training_images.iterdir(), *run.validation_images.iterdir()]
    return {file: file.read_bytes() for file in files}


def test_a_run_without_its_pictures_names_the_command_that_goes_on(new, run):
    with pytest.raises(InvalidDatasetError, match=r"should lie in .*old/train, which is not") as e:
        resume(run.path)
    assert "(in Python: root)" in e.value.hint
    assert e.value.resume.command == f"{run.resume.command} --root NEW"


@pytest.mark.slow
def test_a_run_goes_on_with_moved_pictures_and_remembers_them(new, run):
    digests = [images.digest for _, images in run.read().data]
    events = []
    assert resume(run.path, root=new, on_event=events.append).epochs == 1
    training, validation = open_pictures(run)
    assert (training.root, validation.root) == (new / "train", new / "val")
    assert [training.digest, validation.digest] == digests
    recorded = run.read().data
    assert [images.root for _, images in recorded] == [f"{new}/train", f"{new}/val"]
    assert [images.digest for _, images in recorded] == digests
    said = [event.message for event in events if isinstance(event, Notice)]
    assert f"12 pictures of {run.training_images}: {new.with_name('old')}/train is now" in said[0]
    assert f"6 pictures of {run.validation_images}: " in said[1]


@pytest.mark.slow
def test_every_process_of_a_run_finds_moved_pictures(new, run):
    point_anew(run.path, new, control=Control(ignore_events))
    assert continue_on_ranks(run.path) == ([0, 0], ["", ""])
    assert run.read().state == "completed"


@pytest.mark.parametrize("part", ["train", "val"])
def test_nothing_of_a_run_changes_when_one_picture_is_another(new, run, part):
    before = state(run)
    (new / part / "red" / "000.png").write_bytes((new / part / "red" / "001.png").read_bytes())
    with pytest.raises(InvalidDatasetError, match=r"1 of .* differs .*: 'red/000.png' has"):
        resume(run.path, root=new)
    assert state(run) == before


def test_a_run_that_somebody_trains_is_not_pointed_elsewhere(new, run):
    before = state(run)
    with run.locked(), pytest.raises(OutputInUseError, match="is being written by process"):
        resume(run.path, root=new)
    with (
        MeetingPlace(run.path).leading("process 7 on lab"),
        pytest.raises(OutputInUseError, match="is being trained by process 7 on lab"),
    ):
        resume(run.path, root=new)
    assert state(run) == before


def test_after_a_kill_between_the_two_parts_the_same_call_does_the_rest(new, run, tmp_path):
    shutil.copytree(run.validation_images, tmp_path / "before")
    point_anew(run.path, new, control=Control(ignore_events))
    shutil.rmtree(run.validation_images)
    (tmp_path / "before").rename(run.validation_images)
    point_anew(run.path, new, control=Control(ignore_events))
    assert [images.root for images in open_pictures(run)] == [new / "train", new / "val"]


def test_a_completed_run_is_left_alone(new, run):
    run.update(state="completed")
    before = state(run)
    point_anew(run.path, new, control=Control(ignore_events))
    assert state(run) == before
