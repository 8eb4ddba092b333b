"""Tar files of pictures and labels as WebDataset has them, and what hostile ones meet."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from imageloom.data.convert import convert
from imageloom.data.exports.export import export_images
from imageloom.data.exports.params import ImageExportParams
from imageloom.data.params import ConvertParams
from imageloom.data.sources.kind import find_source
from imageloom.errors import InvalidDatasetError

from .made_pictures import jpeg, png

NAMES = b"007\nNA\na/b\n"
THREE = {
    "000.png": png(0),
    "000.cls": b"2",
    "001.jpg": jpeg(1),
    "001.cls": b"0\n",
    "x/002.png": png(2),
    "x/002.cls": b"1",
}


def shard(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def read(tree, tmp_path, sealed):
    def run(files, name="", **params):
        tree.write(files)
        with sealed():
            return convert(tree.root / name, tmp_path / "out", params=ConvertParams(**params))

    return run


def found(images):
    rows = range(len(images))
    contents = [Path(os.fsdecode(images.path(row))).read_bytes() for row in rows]
    labels = [images.classes[label] for label in images.labels] if images.classes else None
    return contents, labels


def test_bytes_and_labels_come_out_as_they_are(read):
    images = read({"s.tar": shard(THREE), "classnames.txt": NAMES}, "s.tar")
    assert found(images) == ([png(0), jpeg(1), png(2)], ["a/b", "007", "NA"])
    assert [images.file(row) for row in range(3)] == ["000.png", "001.jpg", "x/002.png"]
    left = [one for _, _, files in os.walk(images.root) for one in files]
    assert sorted(left) == ["000.png", "001.jpg", "002.png"]


def test_a_folder_of_shards_is_one_dataset(read):
    again = {name.replace("00", "01"): content for name, content in THREE.items()}
    files = {"000000.tar": shard(THREE), "000001.tar": shard(again), "classnames.txt": NAMES}
    images = read(files)
    assert found(images)[1] == ["a/b", "007", "NA"] * 2
    assert images.file(3) == "000001/010.png"


def test_parts_are_not_joined_unless_asked(read):
    files = {"train-000000.tar": shard(THREE), "val-000000.tar": shard(THREE)}
    files["classnames.txt"] = NAMES
    with pytest.raises(InvalidDatasetError, match="parts of a dataset: 'train', 'val'"):
        read(files)
    assert len(read(files, part="val")) == 3


def test_numbers_without_class_names_are_names(read):
    images = read({"s.tar": shard(THREE)}, "s.tar")
    assert images.classes == ("0", "1", "2")
    assert any("no classnames.txt" in one for one in images.notices)


def test_labels_in_json_are_text_or_numbers(read):
    files = {"1.png": png(1), "1.json": b'{"label": "a/b", "cam": 3}'}
    files |= {"2.png": png(2), "2.json": b'{"label": 7, "cam": "x"}'}
    images = read({"s.tar": shard(files)}, "s.tar", group_column="cam")
    assert found(images)[1] == ["a/b", "7"]
    assert images.index.column("group").to_pylist() == ["3", "x"]


def test_class_folders_with_json_beside_pictures_stay_class_folders(tree):
    files = {"ants/1.png": png(1), "ants/1.json": b"{}", "bees/1.png": png(2)}
    tree.write({"s.tar": shard(files), "t.tar": shard(THREE), "d/s.tar": shard(files)})
    kinds = [find_source(tree.root / name).kind for name in ("s.tar", "t.tar", "d")]
    assert kinds == ["archive", "webdataset", "folder"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"000.cls": b"3"}, "000: has the label '3', but classnames.txt has 3 names"),
        ({"000.cls": b"-2"}, "000: has the label '-2'"),
        ({"000.cls": b"wasp"}, "000: has the label 'wasp'"),
        ({"000.cls": b"\xff"}, "000: has a label that is not UTF-8"),
        ({"000.cls": "\u00b2".encode()}, "000: has the label '\u00b2'"),
        ({"000.cls": b"9" * 5000}, "000: has the label '999"),
        ({"000.jpg": jpeg()}, "000: has several pictures: jpg, png"),
        ({"3.png": png(), "3.json": b"["}, "3: has JSON that is not valid"),
        ({"3.png": png(), "3.json": b"[" * 100_000}, "3: has JSON that"),
        ({"3.png": png(), "3.json": b'{"label": [1]}'}, "3: has a label that is neither"),
        ({"3.png": png(), "3.json": b'{"label": true}'}, "3: has a label that is neither"),
        ({"3.png": png()}, "has a label in sample 1 but none in sample 3"),
        ({"../evil.cls": b"1"}, "leads out of the folder"),
        ({"3.cls": b"1" * 1_100_000}, "has 1,100,000 bytes; at most"),
    ],
)
def test_what_is_wrong_is_named_by_its_sample(read, tmp_path, files, told):
    content = {"s.tar": shard(THREE | files), "classnames.txt": NAMES}
    with pytest.raises(InvalidDatasetError, match=told):
        read(content, "s.tar")
    assert sorted(os.listdir(tmp_path)) == ["source"]  # noqa: PTH208


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (b"a\n\nb\n", "no name in line 2"),
        (b"a\nb\na\n", "names the class 'a' twice, in line 3 too"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_damaged_class_names_are_refused(read, names, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read({"s.tar": shard(THREE), "classnames.txt": names}, "s.tar")


def test_a_sample_without_a_picture_is_left_out(read):
    files = THREE | {"009.cls": b"1", "009.txt": b"a wasp"}
    images = read(
        {"s.tar": shard(files), "classnames.txt": NAMES}, "s.tar", max_rejected_fraction=0.5
    )
    assert [(one.file, one.reason, one.label) for one in images.rejected] == [
        ("009", "has no picture, but cls, txt", "NA")
    ]


def test_a_shard_that_is_cut_short_is_refused(read):
    content = shard({"000.png": png(0, 300, 300), "000.cls": b"0"})
    with pytest.raises(InvalidDatasetError, match=r"s.tar is damaged or cut short"):
        read({"s.tar": content[: len(content) - 10_000]}, "s.tar")


def test_without_labels_all_pictures_are_taken(read):
    images = read({"s.tar": shard(THREE)}, "s.tar", labels="none")
    assert found(images) == ([png(0), jpeg(1), png(2)], None)


def test_out_and_in_again_is_the_same(read, tmp_path):
    images = read({"s.tar": shard(THREE), "classnames.txt": NAMES}, "s.tar")
    params = ImageExportParams(to="webdataset", part="test")
    export_images(images, tmp_path / "shards", params=params)
    assert found(convert(tmp_path / "shards", tmp_path / "back")) == found(images)


def test_shards_of_webdatasets_own_library_are_read(read, tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    with webdataset.TarWriter(str(tmp_path / "own.tar")) as writer:
        for number in range(3):
            writer.write({"__key__": f"{number:06}", "png": png(number), "cls": number})
    images = read({"own.tar": (tmp_path / "own.tar").read_bytes(), "classnames.txt": NAMES})
    assert found(images) == ([png(0), png(1), png(2)], ["007", "NA", "a/b"])
