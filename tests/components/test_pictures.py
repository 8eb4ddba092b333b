"""Components that make image directories: convert, split, and apply."""

import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imageloom.components.catalogue import load_components
from imageloom.data.dataset import save_dataset
from imageloom.data.images.directory import load_image_directory
from imageloom.errors import FailedToWriteOutputsError, InvalidDatasetError, ParameterParsingError
from imageloom.events import Notice
from imageloom.preprocessing import CenterCrop, RandomHorizontalFlip, Resize
from imageloom.preprocessing.transformation_directory import load_transforms, save_transforms

COMPONENTS = load_components()
CONVERT = COMPONENTS.get("convert_to_image_directory")
SPLIT = COMPONENTS.get("split_image_directory")
INIT = COMPONENTS.get("init_image_transformation")
APPLY = COMPONENTS.get("apply_image_transformation")
CORRECT = COMPONENTS.get("correct_images")
TRAINING = (Resize(size=40), CenterCrop(size=32), RandomHorizontalFlip())


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=5, classes=("red", "green"))


@pytest.fixture
def convert(make_task, tmp_path):
    """Return a function that converts what lies at a path; it returns the output's place."""

    def convert(path, **more):
        dataset = tmp_path / f"dataset-{len(list(tmp_path.iterdir()))}"
        save_dataset(path, dataset)
        task = make_task(CONVERT, {"dataset": dataset}, **more)
        CONVERT.run(task)
        return task.outputs["images"]

    return convert


def bytes_of(folder):
    return {path: (folder / path).read_bytes() for path in files_below(folder)}


def files_below(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def warnings_of(component, make_task, inputs, **params):
    events = []
    component.run(make_task(component, inputs, params=params, on_event=events.append))
    return [one.message for one in events if isinstance(one, Notice) and one.level == "warning"]


def test_a_folder_is_converted_where_it_lies(pictures, convert):
    images = load_image_directory(convert(pictures.root))
    assert images.counts == {"green": 5, "red": 5}
    assert images.root == pictures.root


def test_an_archive_is_unpacked_into_the_output(pictures, convert, tmp_path):
    with tarfile.open(tmp_path / "pictures.tar", "w") as archive:
        archive.add(pictures.root, "pictures")
    out = convert(tmp_path / "pictures.tar")
    out.rename(tmp_path / "moved")
    images = load_image_directory(tmp_path / "moved")
    assert images.root == tmp_path / "moved" / "images"
    assert Path(os.fsdecode(images.path(0))).is_file()


def test_an_archive_gives_the_same_bytes_wherever_it_is_unpacked(pictures, convert, tmp_path):
    """So the parts of a split still find their pictures when the conversion is made again."""
    photos = tmp_path / "photos"
    shutil.copytree(pictures.root, photos)
    (photos / "red" / "broken.png").write_bytes(b"no picture")
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        archive.add(photos, "photos")
    params = {"max_rejected_fraction": 0.5}
    first = convert(tmp_path / "photos.tar", params=params)
    assert load_image_directory(first).rejected
    assert bytes_of(convert(tmp_path / "photos.tar", params=params)) == bytes_of(first)


def test_an_image_directory_is_taken_as_it_is(pictures, convert, tmp_path):
    pictures.with_transforms(TRAINING).save(tmp_path / "mine")
    images = load_image_directory(convert(tmp_path / "mine"))
    assert images.digest == pictures.digest
    assert images.transforms == TRAINING


def test_touching_a_picture_changes_no_byte_of_the_output(pictures, convert, tmp_path):
    """So what depends on the output is taken from the cache."""
    photos = tmp_path / "photos"
    shutil.copytree(pictures.root, photos)
    before = bytes_of(convert(photos))
    os.utime(photos / "red" / "000.png", (1, 1))
    assert bytes_of(convert(photos)) == before
    shutil.copyfile(photos / "red" / "001.png", photos / "red" / "000.png")
    assert bytes_of(convert(photos)) != before


def test_pictures_away_from_their_manifest_give_a_warning(pictures, make_task, tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "labels.csv").write_text("file,label\nred/000.png,a\ngreen/000.png,b\n")
    save_dataset(tmp_path / "lists" / "labels.csv", tmp_path / "dataset")
    inputs = {"dataset": tmp_path / "dataset"}
    (warning, *_) = warnings_of(CONVERT, make_task, inputs, folder=str(pictures.root))
    assert "labels.csv names are not noticed" in warning


def test_a_workspace_among_the_pictures_of_a_table_is_refused_as_such(make_task, tmp_path):
    for name, colour in (("red/1.png", (220, 30, 20)), ("green/1.png", (20, 200, 40))):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (8, 6), colour).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,label\nred/1.png,red\ngreen/1.png,green\n")
    save_dataset(tmp_path / "labels.csv", tmp_path / "dataset")
    with pytest.raises(
        FailedToWriteOutputsError, match=rf"The workspace lies inside {tmp_path}, where the pict"
    ) as refused:
        CONVERT.run(make_task(CONVERT, {"dataset": tmp_path / "dataset"}))
    assert "IMAGELOOM_WORKSPACE" in refused.value.hint


def test_what_is_left_out_is_told(pictures, convert, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(pictures.root, photos)
    (photos / "red" / "broken.png").write_bytes(b"no picture")
    events = []
    out = convert(photos, params={"max_rejected_fraction": 0.5}, on_event=events.append)
    assert [one.file for one in load_image_directory(out).rejected] == ["red/broken.png"]
    warnings = [one.message for one in events if isinstance(one, Notice)]
    assert "1 of 11 files in" in warnings[-1]
    assert "was left out: red/broken.png is " in warnings[-1]


@pytest.mark.parametrize("third", [None, 0.2])
def test_a_split_has_two_parts_or_three(pictures, make_task, tmp_path, third):
    pictures.save(tmp_path / "images")
    params = {"fraction": 0.6, "third_fraction": third}
    task = make_task(SPLIT, {"images": tmp_path / "images"}, params=params)
    SPLIT.run(task)
    counts = [len(load_image_directory(place)) for place in task.outputs.values()]
    assert counts == ([6, 4] if third is None else [6, 2, 2])
    assert set(task.outputs) == {"first", "second"} | ({"third"} if third else set())


def test_a_split_tells_what_it_could_not_do_as_asked(pictures, make_task, tmp_path):
    single = pictures.select(np.array([0, 1, 2, 3, 4, 5]))
    single.save(tmp_path / "images")
    (message, *_) = warnings_of(SPLIT, make_task, {"images": tmp_path / "images"}, fraction=0.7)
    assert message.startswith("1 class has one picture")


def transformation(make_task, **params):
    events = []
    task = make_task(INIT, params=params, on_event=events.append)
    INIT.run(task)
    return load_transforms(task.outputs["transformation"]), [one.message for one in events]


def test_the_default_transformation_is_usable_for_training(make_task):
    transforms, warnings = transformation(make_task)
    assert transforms == (Resize(size=256), CenterCrop(size=224), RandomHorizontalFlip())
    assert warnings == []


def test_a_transformation_that_training_would_refuse_is_told(make_task):
    _, (warning,) = transformation(make_task, center_crop=False)
    assert "different sizes" in warning


def test_a_switch_that_changes_nothing_is_told(make_task):
    _, (warning,) = transformation(make_task, pad=True)
    assert warning == "pad is on, but padding is 0, so it changes nothing."
    assert transformation(make_task, pad=True, padding=4)[1] == []


@pytest.mark.parametrize(
    ("mode", "expected"), [("training", TRAINING), ("inference", TRAINING[:2])]
)
def test_pictures_carry_the_transformation_in_its_form(
    pictures, make_task, tmp_path, mode, expected
):
    pictures.save(tmp_path / "images")
    save_transforms(TRAINING, tmp_path / "transformation")
    inputs = {"images": tmp_path / "images", "transformation": tmp_path / "transformation"}
    task = make_task(APPLY, inputs, params={"mode": mode})
    APPLY.run(task)
    images = load_image_directory(task.outputs["images"])
    assert images.transforms == expected
    assert images.digest == pictures.digest


def test_replacing_transforms_is_told(pictures, make_task, tmp_path):
    pictures.with_transforms(TRAINING).save(tmp_path / "images")
    save_transforms(TRAINING, tmp_path / "transformation")
    inputs = {"images": tmp_path / "images", "transformation": tmp_path / "transformation"}
    assert "take their place" in warnings_of(APPLY, make_task, inputs)[0]


def test_an_upload_of_a_changed_folder_is_refused(pictures, convert, make_task, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(pictures.root, photos)
    save_dataset(photos, tmp_path / "dataset")
    (photos / "red" / "000.png").unlink()
    with pytest.raises(InvalidDatasetError, match="has changed since the run looked at it"):
        CONVERT.run(make_task(CONVERT, {"dataset": tmp_path / "dataset"}))


def test_corrected_pictures_are_told_of_and_keep_their_files(pictures, make_task, tmp_path):
    pictures.save(tmp_path / "images")
    before = bytes_of(pictures.root)
    lines = [
        '{"file": "red/000.png", "label": "green"}',
        '{"file": "red/001.png", "exclude": true}',
    ]
    events = []
    task = make_task(
        CORRECT,
        {"images": tmp_path / "images"},
        params={"corrections": lines},
        on_event=events.append,
    )
    CORRECT.run(task)
    corrected = load_image_directory(task.outputs["images"])
    assert corrected.counts == {"red": pictures.counts["red"] - 2, "green": 6}
    assert [one.message for one in events if isinstance(one, Notice)] == [corrected.notices[-1]]
    assert bytes_of(pictures.root) == before


def test_a_text_that_is_no_correction_is_found_before_a_run():
    with pytest.raises(ParameterParsingError, match="Correction 1 is no JSON"):
        CORRECT.rule(CORRECT.params.parse({"corrections": ["exclude a/1.png"]}))
