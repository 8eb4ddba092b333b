"""Exports of CVAT and Label Studio are read out of the archive that these programs write."""

import io
import json
import os
import shlex
import tarfile
import zipfile

import pytest

import imageloom
from imageloom.cli.root import run
from imageloom.data.convert import convert
from imageloom.data.images.directory import load_image_directory
from imageloom.data.open import open_images
from imageloom.data.params import ConvertParams
from imageloom.errors import FailedToWriteOutputsError, InvalidDatasetError
from imageloom.settings import Settings

from .made_pictures import png

PICTURES = {"1.png": png(1), "2.png": png(2), "sub/3.png": png(3)}
LABELS = {"1.png": "ant", "2.png": "bee", "sub/3.png": "ant"}
COUNTS = {"ant": 2, "bee": 1}


def cvat(names=LABELS, inside="", **attributes):
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    images = (
        f'<image id="0" name="{name}"{more}><tag label="{label}"></tag>{inside}</image>'
        for name, label in names.items()
    )
    return f'<?xml version="1.0"?>\n<annotations>{"".join(images)}</annotations>'.encode()


def tasks(names):
    return json.dumps(
        [
            {
                "data": {"image": name},
                "annotations": [{"result": [{"type": "choices", "value": {"choices": [label]}}]}],
            }
            for name, label in names.items()
        ]
    ).encode()


def coco(names):
    classes = sorted(set(names.values()))
    return json.dumps(
        {
            "images": [{"id": at, "file_name": name} for at, name in enumerate(names)],
            "categories": [{"id": at, "name": name} for at, name in enumerate(classes)],
            "annotations": [
                {"image_id": at, "category_id": classes.index(label)}
                for at, label in enumerate(names.values())
            ],
        }
    ).encode()


def below(folder, files):
    return {f"{folder}/{name}": content for name, content in files.items()}


UPLOADS = {f"/data/upload/7/0a1b2c3d-{name.rpartition('/')[2]}": LABELS[name] for name in LABELS}
UPLOADED = {f"images/0a1b2c3d-{name.rpartition('/')[2]}": PICTURES[name] for name in PICTURES}
PROJECT = "project-7-at-2026-11-23-10-15-0a1b2c3d.json"
EXPORTS = {
    "CVAT": below("images", PICTURES) | {"annotations.xml": cvat()},
    "CVAT, pictures beside": PICTURES | {"annotations.xml": cvat()},
    "CVAT, in a folder": below("task", below("images", PICTURES) | {"annotations.xml": cvat()}),
    "CVAT, a subset": below("images/Train", PICTURES) | {"annotations.xml": cvat(subset="Train")},
    "CVAT, COCO": below("images/default", PICTURES)
    | {"annotations/instances_default.json": coco(LABELS)},
    "CVAT, COCO in a folder": below(
        "task", below("images", PICTURES) | {"annotations/instances_train.json": coco(LABELS)}
    ),
    "Label Studio, COCO": below("images", PICTURES)
    | {"result.json": coco({f"images/{name}": label for name, label in LABELS.items()})},
    "Label Studio, COCO names without folder": below("images", PICTURES)
    | {"result.json": coco(LABELS)},
    "Label Studio, tasks": UPLOADED | {PROJECT: tasks(UPLOADS)},
    "Label Studio, with what a Mac adds": UPLOADED
    | {PROJECT: tasks(UPLOADS), "__MACOSX/._x": b"x", ".DS_Store": b"x"},
}


@pytest.fixture
def packed(tmp_path):
    def write(files, name="export.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return tmp_path / name

    return write


def content_by_label(images):
    found = {}
    for row in images.index.to_pylist():
        content = (images.root / os.fsdecode(row["path"])).read_bytes()
        found.setdefault(images.classes[row["label"]], set()).add(content)
    return found


@pytest.mark.parametrize("export", EXPORTS)
def test_every_picture_has_its_label_and_its_bytes(packed, tmp_path, export):
    images = convert(packed(EXPORTS[export]), tmp_path / "images")
    assert images.counts == COUNTS
    assert images.rejected == ()
    assert content_by_label(images) == {
        "ant": {PICTURES["1.png"], PICTURES["sub/3.png"]},
        "bee": {PICTURES["2.png"]},
    }
    assert images.root.is_relative_to(tmp_path / "images")
    left = {one.suffix for one in images.root.rglob("*") if one.is_file()}
    assert left == {".png"}


def test_a_tar_of_an_export_is_one_as_well(tmp_path):
    with tarfile.open(tmp_path / "export.tar.gz", "w:gz") as archive:
        for name, content in EXPORTS["CVAT"].items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert convert(tmp_path / "export.tar.gz", tmp_path / "images").counts == COUNTS


def test_several_labels_come_from_an_archive_too(packed, tmp_path):
    more = '<tag label="wings"></tag>'
    files = below("images", PICTURES) | {"annotations.xml": cvat(inside=more)}
    params = ConvertParams(labels="several")
    images = convert(packed(files), tmp_path / "images", params=params)
    assert images.classes == ("ant", "bee", "wings")
    with pytest.raises(InvalidDatasetError, match="several labels, for it is read as an archive"):
        convert(packed(below("ant", PICTURES)), tmp_path / "more", params=params)


def test_one_is_opened_once_and_again_when_it_changes(packed, tmp_path):
    settings = Settings(home=tmp_path / "home", workspace=tmp_path / "workspace")
    path = packed(EXPORTS["CVAT"])
    assert open_images(path, settings=settings).counts == COUNTS
    packed(below("images", PICTURES) | {"annotations.xml": cvat({"1.png": "cat"})})
    assert open_images(path, settings=settings).counts == {"cat": 1}


@pytest.mark.parametrize("export", [name for name in EXPORTS if "beside" not in name])
def test_an_export_that_was_unpacked_names_the_file_that_has_its_labels(packed, tmp_path, export):
    with zipfile.ZipFile(packed(EXPORTS[export])) as archive:
        archive.extractall(tmp_path / "unpacked")
    with pytest.raises(InvalidDatasetError, match="an export of a labelling program") as e:
        convert(tmp_path / "unpacked", tmp_path / "images")
    words = shlex.split(e.value.hint.rsplit(": ", 1)[1])
    assert words[:3] == ["imageloom", "data", "convert"]
    assert words[-2:] == ["--out", "pictures"]
    words[-1] = str(tmp_path / "images")
    assert run(words[1:]) == 0
    assert load_image_directory(tmp_path / "images").counts == COUNTS
    unlabelled = ConvertParams(labels="none")
    assert len(convert(tmp_path / "unpacked", tmp_path / "none", params=unlabelled)) == 3


def test_class_folders_beside_labels_are_read_as_before(packed, tmp_path):
    files = below("ants", {"1.png": png(1)}) | below("images", {"2.png": png(2)})
    with zipfile.ZipFile(packed(files | {"annotations.xml": cvat()})) as archive:
        archive.extractall(tmp_path / "unpacked")
    images = convert(tmp_path / "unpacked", tmp_path / "images")
    assert images.counts == {"ants": 1, "images": 1}


@pytest.mark.parametrize("name", ["annotations.xml", "result.json", "project-1-at-2026.json"])
@pytest.mark.parametrize("content", [b"", b"<x/>", b'{"loss": 1}', b"[1]", b"\xff"])
def test_class_folders_beside_a_file_of_such_a_name_stay_class_folders(
    packed, tmp_path, name, content
):
    files = below("ants", {"1.png": png(1)}) | below("bees", {"2.png": png(2)}) | {name: content}
    assert convert(packed(files), tmp_path / "images").counts == {"ants": 1, "bees": 1}


def test_an_export_without_pictures_says_how_it_is_read(packed, tmp_path):
    path = packed({"annotations.xml": cvat()})
    with pytest.raises(InvalidDatasetError, match=r"no pictures, only annotations\.xml") as e:
        convert(path, tmp_path / "images")
    assert "--folder" in e.value.hint


def test_pictures_elsewhere_are_never_touched(packed, tmp_path):
    for name, content in PICTURES.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    path = packed({"annotations.xml": cvat(), "images/other.png": png(9)})
    for folder in (str(tmp_path / "photos"), "../photos"):
        params = ConvertParams(folder=folder)
        with pytest.raises(InvalidDatasetError, match=r"must lead down from .*export\.zip"):
            convert(path, tmp_path / "images", params=params)
    assert (tmp_path / "photos" / "1.png").read_bytes() == PICTURES["1.png"]


def test_a_folder_in_the_archive_can_be_named(packed, tmp_path):
    files = below("a/b/c", PICTURES) | {"result.json": coco(LABELS)}
    params = ConvertParams(folder="a/b/c")
    assert convert(packed(files), tmp_path / "images", params=params).counts == COUNTS


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "images/../../secret.png"])
def test_s01_a_name_that_leads_out_of_the_archive_is_refused(packed, tmp_path, name):
    (tmp_path / "secret.png").write_bytes(png(5))
    path = packed(below("images", PICTURES) | {"annotations.xml": cvat(LABELS | {name: "ant"})})
    with pytest.raises(InvalidDatasetError, match=r"image 4") as refused:
        convert(path, tmp_path / "images")
    assert "unpacked" not in f"{refused.value} {refused.value.hint}".replace("unpacked it", "")
    assert str(path) in str(refused.value)
    assert not (tmp_path / "images").exists()


def test_entities_are_refused_in_an_archive_too(packed, tmp_path):
    text = b'<!DOCTYPE a [<!ENTITY e "x">]><annotations><image name="&e;"/></annotations>'
    path = packed(below("images", PICTURES) | {"annotations.xml": text})
    with pytest.raises(InvalidDatasetError, match=r"export\.zip/annotations\.xml declares a doc"):
        convert(path, tmp_path / "images")


def test_a_row_without_its_picture_names_the_archive(packed, tmp_path):
    files = below("images", PICTURES) | {"annotations.xml": cvat(LABELS | {"gone.png": "ant"})}
    path = packed(files)
    with pytest.raises(InvalidDatasetError, match=r"no file 'gone.png'") as refused:
        convert(path, tmp_path / "images")
    assert f"{path}/annotations.xml" in str(refused.value)
    assert str(tmp_path / "images") not in f"{refused.value} {refused.value.hint}"


def test_in_python_and_out_of_the_way_of_what_is_there(packed, tmp_path):
    images = imageloom.open_images(packed(EXPORTS["CVAT"]))
    assert images.counts == COUNTS
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        convert(tmp_path / "export.zip", images.root.parent)
