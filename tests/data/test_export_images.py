"""Out and in again gives the same bytes and labels, in every form."""

import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from imageloom.data.convert import convert
from imageloom.data.exports.export import export_images
from imageloom.data.exports.folders import folder_names
from imageloom.data.exports.params import ImageExportParams
from imageloom.data.params import ConvertParams
from imageloom.errors import (
    FailedToWriteOutputsError,
    InvalidDatasetError,
    ParameterParsingError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Progress

from .made_pictures import jpeg, photo, png, saved

PNG, JPEG = png(1), jpeg(2)
BMP = saved(photo(4, 5), "BMP")
TABLE = "file,label,camera\n1.png,007,n\n2.jpg,NA,s\nsub/1.png,a/b,n\n3.bmp,a/b,\n"


@pytest.fixture
def images(tree, tmp_path):
    tree.write({"1.png": PNG, "2.jpg": JPEG, "sub/1.png": png(3), "3.bmp": BMP})
    tree.write({"labels.csv": TABLE.encode()})
    params = ConvertParams(group_column="camera")
    return convert(tree.root / "labels.csv", tmp_path / "images", params=params)


def read_all(images):
    rows = range(len(images))
    contents = [Path(os.fsdecode(images.path(row))).read_bytes() for row in rows]
    labels = [images.classes[label] for label in images.labels] if images.classes else None
    return contents, labels, images.index.column("group").to_pylist()


@pytest.mark.parametrize(
    ("to", "again"),
    [("folders", "labels.csv"), ("parquet", ""), ("coco", "instances_train.json")],
    ids=["folders", "parquet", "coco"],
)
def test_out_and_in_again_is_the_same(images, tmp_path, sealed, to, again):
    with sealed():
        done = export_images(images, tmp_path / "out", params=ImageExportParams(to=to))
    assert done.num_images == 4
    params = ConvertParams(group_column="group")
    back = convert(tmp_path / "out" / again, tmp_path / "back", params=params)
    assert back.classes == ("007", "NA", "a/b")
    assert read_all(back) == read_all(images)


def test_folders_of_plain_names_need_no_table(tree, tmp_path):
    tree.write({"a/1.png": PNG, "b/1.png": png(3)})
    images = convert(tree.root, tmp_path / "images")
    done = export_images(images, tmp_path / "out")
    assert done.files == ()
    assert done.notices == ()
    back = convert(tmp_path / "out", tmp_path / "back")
    assert read_all(back) == read_all(images)
    assert [back.file(row) for row in range(2)] == ["a/1.png", "b/1.png"]


def test_a_class_that_can_be_no_folder_is_written_as_one_and_told(images, tmp_path):
    done = export_images(images, tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "007",
        "NA",
        "a%2Fb",
        "labels.csv",
    ]
    assert done.notices[0].startswith(
        "1 class has a name that no folder can have: 'a/b' as 'a%2Fb'"
    )


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("007", "007"),
        ("100%", "100%"),
        ("a/b", "a%2Fb"),
        ("50%/c", "50%25%2Fc"),
        ("..", "%2E."),
        (".git", "%2Egit"),
        ("../../evil", "..%2F..%2Fevil"),
        ("/etc", "%2Fetc"),
        ("Thumbs.db", "%54humbs.db"),
        ("labels.csv", "%6Cabels.csv"),
        ("a\\b", "a%5Cb"),
        ("Ameise é", "Ameise é"),
    ],
)
def test_folder_names(name, folder):
    assert folder_names([name]) == {name: folder}


def test_two_classes_of_one_folder_are_refused():
    with pytest.raises(InvalidDatasetError, match="'a/b' and 'a%2Fb' would have one folder"):
        folder_names(["a/b", "a%2Fb"])


def test_a_name_that_is_too_long_for_a_folder_is_refused():
    with pytest.raises(InvalidDatasetError, match="more than 255 bytes"):
        folder_names(["x" * 256])


def test_pictures_keep_their_names_unless_two_have_one_or_none_is_called_so(tree, tmp_path):
    files = {"x/1.png": PNG, "y/1.png": png(3), "y/1.PNG": png(4), "z/notes.txt": JPEG}
    files |= {"z/.hidden.png": png(5)}
    tree.write(files)
    tree.write({"list.csv": "\n".join(["file", *files]).encode()})
    images = convert(tree.root / "list.csv", tmp_path / "images")
    done = export_images(images, tmp_path / "out")
    assert done.files == (
        "1-2.png",
        "1-3.PNG",
        "1.png",
        "picture-00000003.jpg",
        "picture-00000004.png",
    )
    assert done.notices[0].startswith("4 pictures have another name than before")
    assert (tmp_path / "out/1-2.png").read_bytes() == png(3)


def test_parquet_says_what_hugging_face_needs(images, tmp_path):
    export_images(images, tmp_path / "out", params=ImageExportParams(to="parquet", part="test"))
    table = pq.read_table(tmp_path / "out/test-00000-of-00001.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {
        "image": {"_type": "Image"},
        "label": {"names": ["007", "NA", "a/b"], "_type": "ClassLabel"},
        "group": {"dtype": "string", "_type": "Value"},
    }
    assert str(table.schema.field("image").type) == "struct<bytes: binary, path: string>"
    assert table.column("label").to_pylist() == [0, 1, 2, 2]
    assert table.column("image")[0].as_py() == {"bytes": PNG, "path": "1.png"}


@pytest.mark.parametrize(("to", "suffix"), [("parquet", "parquet"), ("webdataset", "tar")])
def test_shards_are_bounded_and_joined_again(tree, tmp_path, to, suffix):
    tree.write({f"{'ab'[n % 2]}/{n}.bmp": saved(noise(n), "BMP") for n in range(6)})
    images = convert(tree.root, tmp_path / "images")
    params = ImageExportParams(to=to, max_shard_mb=1)
    done = export_images(images, tmp_path / "out", params=params)
    shards = [name for name in done.files if name.endswith(suffix)]
    assert len(shards) == 3
    assert all((tmp_path / "out" / name).stat().st_size <= 1_000_000 for name in shards)
    if to == "parquet":
        back = convert(tmp_path / "out", tmp_path / "back")
        assert read_all(back) == read_all(images)


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (400, 400, 3), np.uint8)  # 480 kB


def test_webdataset_shards_hold_pictures_and_numbers_of_classes(images, tmp_path):
    export_images(images, tmp_path / "out", params=ImageExportParams(to="webdataset"))
    with tarfile.open(tmp_path / "out/train-000000.tar") as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
    assert found == {
        "00000000.png": PNG,
        "00000000.cls": b"0",
        "00000001.jpg": JPEG,
        "00000001.cls": b"1",
        "00000002.png": png(3),
        "00000002.cls": b"2",
        "00000003.bmp": BMP,
        "00000003.cls": b"2",
    }
    assert (tmp_path / "out/classnames.txt").read_text() == "007\nNA\na/b\n"


def test_coco_has_an_annotation_as_large_as_each_picture(images, tmp_path):
    done = export_images(images, tmp_path / "out", params=ImageExportParams(to="coco", part="val"))
    assert done.files == ("instances_val.json",)
    assert done.notices[0].startswith("1 picture has another name than before")
    found = json.loads((tmp_path / "out/instances_val.json").read_text())
    assert found["categories"] == [
        {"id": 1, "name": "007", "supercategory": ""},
        {"id": 2, "name": "NA", "supercategory": ""},
        {"id": 3, "name": "a/b", "supercategory": ""},
    ]
    assert [one["file_name"] for one in found["images"]] == [
        "val/1.png",
        "val/2.jpg",
        "val/1-2.png",
        "val/3.bmp",
    ]
    # BMP is the photo of 4 rows and 5 columns.
    assert found["images"][3] == {
        "id": 4,
        "file_name": "val/3.bmp",
        "width": 5,
        "height": 4,
    }
    assert found["images"][0]["group"] == "n"
    assert found["annotations"][3] == {
        "id": 4,
        "image_id": 4,
        "category_id": 3,
        "bbox": [0, 0, 5, 4],
        "area": 20,
        "iscrowd": 0,
    }
    assert (tmp_path / "out/val/1-2.png").read_bytes() == png(3)


def test_pictures_without_labels_are_written_without(tree, tmp_path):
    tree.write({"1.png": PNG, "2.jpg": JPEG})
    images = convert(tree.root, tmp_path / "images")
    for to in ("folders", "parquet", "webdataset", "coco"):
        done = export_images(images, tmp_path / to, params=ImageExportParams(to=to))
        assert not any(name.endswith((".csv", ".txt")) for name in done.files)
    for to in ("folders", "parquet", "coco/instances_train.json"):
        back = convert(tmp_path / to, tmp_path / "back" / to)
        assert read_all(back) == read_all(images)


@pytest.mark.parametrize("to", ["folders", "parquet", "webdataset", "coco"])
def test_a_picture_that_was_changed_is_refused_and_nothing_appears(images, tree, tmp_path, to):
    tree.write({"2.jpg": JPEG[:-1] + b"\0"})
    with pytest.raises(InvalidDatasetError, match=r"'2.jpg' in .* has other bytes"):
        export_images(images, tmp_path / "out", params=ImageExportParams(to=to))
    assert sorted(os.listdir(tmp_path)) == ["images", "source"]  # noqa: PTH208


def test_a_place_that_holds_something_is_refused(images, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("x")
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        export_images(images, tmp_path / "out")
    assert (tmp_path / "out/mine").read_text() == "x"


def test_a_place_inside_the_image_directory_is_refused(images, tmp_path):
    with pytest.raises(FailedToWriteOutputsError, match=r"lies inside .* an image directory"):
        export_images(images, tmp_path / "images/out")


@pytest.mark.parametrize("part", ["", "../x", "a/b", "-", "x" * 101])
def test_a_part_must_begin_a_file_name(images, tmp_path, part):
    with pytest.raises(ParameterParsingError, match="must begin the names of files"):
        export_images(images, tmp_path / "out", params=ImageExportParams(part=part))


def test_it_tells_how_far_it_is_and_stops(images, tmp_path):
    cancel, told = CancelToken(), []

    def on_event(event):
        told.append(event)
        cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError):
        export_images(images, tmp_path / "out", on_event=on_event, cancel=cancel)
    assert told == [Progress("Writing pictures", 0, 4, "images")]
    assert not (tmp_path / "out").exists()


def test_hugging_faces_own_library_reads_it(images, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    export_images(images, tmp_path / "out", params=ImageExportParams(to="parquet"))
    files = str(tmp_path / "out/*.parquet")
    found = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert found.features["label"].names == list(images.classes)
    found = found.cast_column("image", datasets.Image(decode=False))
    assert [row["image"]["bytes"] for row in found] == read_all(images)[0]
    assert list(found["label"]) == images.labels.tolist()


# The library leaves it to Python to close its files.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdatasets_own_library_reads_it(images, tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    export_images(images, tmp_path / "out", params=ImageExportParams(to="webdataset"))
    shards = [str(one) for one in (tmp_path / "out").glob("*.tar")]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [int(one["cls"]) for one in samples] == images.labels.tolist()
    pictures = [next(one[end] for end in ("png", "jpg", "bmp") if end in one) for one in samples]
    assert pictures == read_all(images)[0]


def test_cocos_own_library_reads_it(images, tmp_path, capsys):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    export_images(images, tmp_path / "out", params=ImageExportParams(to="coco"))
    found = coco.COCO(str(tmp_path / "out/instances_train.json"))
    contents, labels, _ = read_all(images)
    names = {one["id"]: one["name"] for one in found.loadCats(found.getCatIds())}
    for number, picture in enumerate(found.loadImgs(found.getImgIds())):
        one = found.loadAnns(found.getAnnIds(imgIds=[picture["id"]], areaRng=[0, 1e9]))
        assert [names[each["category_id"]] for each in one] == [labels[number]]
        assert (tmp_path / "out" / picture["file_name"]).read_bytes() == contents[number]
