"""What a run keeps of plain folders, before anything is trained."""

import shutil

import pytest

from imageloom.data.images.directory import load_image_directory
from imageloom.data.params import ConvertParams
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, Notice
from imageloom.models.params import ModelParams
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.train import NewRun, prepare_run

SMALL = ModelParams(stem="small")
QUICK = TrainParams(epochs=1, batch_size=8, workers=0)


@pytest.fixture
def prepared(make_pictures, tmp_path):
    """Prepare a run on the folder of some pictures, and return it with what was told."""
    validation = make_pictures(per_class=2, classes=("red", "green"), seed=1).root

    def prepare(training, **options):
        events = []
        run = prepare_run(
            NewRun(
                "resnet18",
                training,
                validation,
                tmp_path / "run",
                params=QUICK,
                model_params=SMALL,
                **options,
            ),
            control=Control(events.append),
        )
        messages = [event.message for event in events if isinstance(event, Notice)]
        return RunDirectory(run), messages

    return prepare


@pytest.fixture
def pictures(make_pictures, tmp_path):
    made = make_pictures(per_class=60, classes=("red", "green"), size=8)
    return shutil.copytree(made.root, tmp_path / "photos")


@pytest.mark.slow
def test_a_run_keeps_and_tells_what_was_left_out_of_a_plain_folder(prepared, pictures):
    (pictures / "red" / "junk.png").write_bytes(b"<html>")
    run, messages = prepared(pictures)
    assert any("1 of 121 files" in message and "red/junk.png" in message for message in messages)
    record = run.read().data
    assert record.training.left_out == 1
    assert record.training.left_out_reasons == {"is an HTML page": 1}
    assert record.validation.left_out == 0
    (left,) = load_image_directory(run.training_images).rejected
    assert (left.file, left.label) == ("red/junk.png", "red")


@pytest.mark.slow
def test_a_class_that_is_a_link_is_not_lost(prepared, pictures, tmp_path):
    (pictures / "red").rename(tmp_path / "elsewhere")
    (pictures / "red").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidDatasetError, match=r"'red' to .*/elsewhere"):
        prepared(pictures)
    run, messages = prepared(pictures, convert_params=ConvertParams(follow_links=True))
    assert run.read().data.training.images_per_class == {"red": 60, "green": 60}
    assert any("1 link to a folder was followed" in message for message in messages)
