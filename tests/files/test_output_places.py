"""Where outputs may appear, and where they may not."""

import json
from pathlib import Path

import pytest

from imageloom.data.names import FORMAT_OF_SUFFIX
from imageloom.data.sources.parts import _ROLES
from imageloom.errors import FailedToWriteOutputsError
from imageloom.files.output_places import (
    MANY,
    PART_NAMES,
    PICTURE_SUFFIXES,
    refuse_kept_inside,
    refuse_misplaced,
)
from imageloom.files.publish import publishing_directory


def pictures(folder: Path, number: int = 2) -> Path:
    folder.mkdir(parents=True)
    for count in range(number):
        (folder / f"{count}.JPG").touch()
    return folder


def classes(folder: Path, number: int = 2) -> Path:
    for name in ("ants", "bees"):
        pictures(folder / name, number)
    return folder


def test_a_place_beside_what_is_read_is_free(tmp_path):
    classes(tmp_path / "T")
    refuse_misplaced([tmp_path / "run", tmp_path / "T2"], read=[tmp_path / "T"])


@pytest.mark.parametrize("out", ["T", "T/run", "T/ants/run", "T/new/run", "T/../T/run"])
def test_nothing_is_written_into_what_is_read(tmp_path, out):
    (classes(tmp_path / "T") / "mine.txt").touch()
    with pytest.raises(FailedToWriteOutputsError, match="T, which is only read") as caught:
        refuse_misplaced([tmp_path / out], read=[tmp_path / "T"])
    assert caught.value.reason == "inside-source"
    assert caught.value.details == {"output": str(tmp_path / out), "inside": str(tmp_path / "T")}


def test_links_are_followed_to_where_they_lead(tmp_path):
    classes(tmp_path / "T")
    (tmp_path / "link").symlink_to(tmp_path / "T")
    for out, read in (("link/run", "T"), ("T/run", "link"), ("link/ants/run", "link")):
        with pytest.raises(FailedToWriteOutputsError, match="which is only read"):
            refuse_misplaced([tmp_path / out], read=[tmp_path / read])
    with pytest.raises(FailedToWriteOutputsError, match="a folder of pictures"):
        refuse_misplaced([tmp_path / "link" / "run"])


def test_the_name_of_a_network_is_no_folder_that_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refuse_misplaced([Path("resnet18/run")], read=[Path("resnet18")])


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["s1", "s1/b"], "s1/b lies inside .*s1, which is an output too"),
        (["s1/b/c", "s1"], "s1/b/c lies inside .*s1, which is an output too"),
        (["x", "s1", "./s1"], "s1 is the place of two outputs"),
    ],
)
def test_outputs_do_not_lie_in_each_other(tmp_path, outputs, message):
    with pytest.raises(FailedToWriteOutputsError, match=message) as caught:
        refuse_misplaced([tmp_path / one for one in outputs])
    assert caught.value.reason == "inside-output"


@pytest.mark.parametrize("out", ["M/scores.csv", "M/deep/er/run"])
@pytest.mark.parametrize(
    ("record", "what"),
    [
        ("model.json", "a model directory"),
        ("image_directory.json", "an image directory"),
        ("evaluation.json", "an evaluation"),
        ("other.json", "which was published as it is"),
    ],
)
def test_what_was_published_stays_as_it_is(tmp_path, out, record, what):
    with publishing_directory(tmp_path / "M") as partial:
        (partial / record).write_text("{}")
    with pytest.raises(FailedToWriteOutputsError, match=f"lies inside .*M, {what}") as caught:
        refuse_misplaced([tmp_path / out])
    assert caught.value.reason == "inside-published"


@pytest.mark.parametrize("record", [{"kind": "run"}, {"id": "r1", "pipeline": {}}])
def test_a_run_of_a_training_or_a_pipeline_takes_no_other_output(tmp_path, record):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(FailedToWriteOutputsError, match=r"lies inside .*run, a run"):
        refuse_misplaced([tmp_path / "run" / "logs" / "evaluation"])


@pytest.mark.parametrize("name", ["MANIFEST.json", "run.json"])
@pytest.mark.parametrize("text", ["{}", "[1]", "no JSON", '{"scripts": {}}'])
def test_somebodys_own_file_of_such_a_name_forbids_nothing(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    refuse_misplaced([tmp_path / "run"])


@pytest.mark.parametrize("out", ["T/u", "T/ants/u", "T/ants/new/u"])
def test_class_folders_are_known_without_being_told(tmp_path, out):
    classes(tmp_path / "T")
    (tmp_path / "T" / ".DS_Store").touch()
    (tmp_path / "T" / "LICENSE.txt").touch()
    (tmp_path / "T" / "ants" / "Thumbs.db").touch()
    with pytest.raises(FailedToWriteOutputsError, match="T, a folder of pictures") as caught:
        refuse_misplaced([tmp_path / out])
    assert caught.value.hint == f"Choose a place beside it: {tmp_path / 'u'}"


def test_a_folder_with_nothing_but_many_pictures_is_known_too(tmp_path):
    pictures(tmp_path / "few", MANY - 1)
    refuse_misplaced([tmp_path / "few" / "u"])
    pictures(tmp_path / "one" / "many", MANY)
    with pytest.raises(FailedToWriteOutputsError, match="many, a folder of pictures"):
        refuse_misplaced([tmp_path / "one" / "many" / "u"])


@pytest.mark.parametrize("beside", ["notes.md", "train/x", "labels.csv"])
def test_a_place_of_work_may_hold_pictures_beside_other_things(tmp_path, beside):
    for folder in (pictures(tmp_path / "a", 30), classes(tmp_path / "b")):
        (folder / beside).parent.mkdir(exist_ok=True)
        (folder / beside).touch()
        refuse_misplaced([folder / "u"])


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(FailedToWriteOutputsError, match="no file can have this name"):
        refuse_misplaced([Path("a\0b")])


def test_parts_of_a_dataset_are_no_classes(tmp_path):
    for part in ("train", "val"):
        classes(tmp_path / "T" / part)
    refuse_misplaced([tmp_path / "T" / "run"])


def test_a_folder_that_may_not_be_listed_forbids_nothing(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    refuse_misplaced([tmp_path / "u"])


def test_a_place_beside_parts_of_a_dataset_that_hold_plain_pictures_is_free(tmp_path):
    for name in ("Training", "val"):
        pictures(tmp_path / "photos" / name)
    refuse_misplaced([tmp_path / "photos" / "run"])


def test_parts_are_called_here_as_where_they_are_looked_for():
    assert set(_ROLES) == PART_NAMES


def test_pictures_are_those_of_which_conversion_knows_the_suffix():
    assert {f".{suffix}" for suffix in FORMAT_OF_SUFFIX} == PICTURE_SUFFIXES


def test_what_is_kept_lies_outside_of_pictures_unless_it_is_hidden(tmp_path):
    refuse_kept_inside(tmp_path / ".cache" / "imageloom", tmp_path, hint="")
    refuse_kept_inside(tmp_path / "cache", tmp_path / "T", hint="")
    with pytest.raises(FailedToWriteOutputsError, match=r"cache, where .* lies inside") as caught:
        refuse_kept_inside(tmp_path / "cache", tmp_path, hint="Set IMAGELOOM_HOME.")
    assert caught.value.hint == "Set IMAGELOOM_HOME."
