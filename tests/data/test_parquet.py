"""Pictures in Parquet files as Hugging Face writes them, and what hostile ones meet."""

import contextlib
import io
import json
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imageloom.data.convert import convert
from imageloom.data.open import open_images
from imageloom.data.params import ConvertParams
from imageloom.data.sources.archive import limits
from imageloom.data.sources.kind import find_source
from imageloom.data.sources.parquet import unpack
from imageloom.data.sources.parquet.shards import shard_files
from imageloom.data.sources.parquet.unpack import unpack_parquet
from imageloom.errors import (
    ImageloomError,
    InvalidDatasetError,
    NotExpectedLabelColumnError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control, Progress
from imageloom.settings import Settings
from imageloom.system.machine import HostMemory

from .made_pictures import jpeg, png

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
NAMES = ["007", "NA", "a/b"]
LABEL = {"names": NAMES, "_type": "ClassLabel"}


def rows(count=6):
    return [{"bytes": png(number), "path": f"{number}.png"} for number in range(count)]


def parquet(images, labels=None, *, feature=LABEL, kind=None, extra=None, metadata=None, **options):
    """The bytes of a Parquet file; labels that are text get no feature."""
    columns = {"image": pa.array(images, PICTURE) if isinstance(images, list) else images}
    features = {"image": {"_type": "Image"}}
    if labels is not None:
        columns["label"] = pa.array(labels, kind)
        features["label"] = feature
    table = pa.table(columns | (extra or {}))
    if metadata is None:
        metadata = json.dumps({"info": {"features": features}})
    if metadata:
        table = table.replace_schema_metadata({b"huggingface": metadata})
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


@pytest.fixture
def read(tree, tmp_path, sealed):
    """Convert files that were written below a folder; by default the file, or the folder."""

    def run(files, name=None, **params):
        if isinstance(files, bytes):
            files, name = {"some.parquet": files}, "some.parquet"
        tree.write(files)
        with sealed():
            source = tree.root / (name or "")
            return convert(source, tmp_path / "out", params=ConvertParams(**params))

    return run


def contents(images):
    return [Path(os.fsdecode(images.path(row))).read_bytes() for row in range(len(images))]


def labels(images):
    return [images.classes[label] for label in images.labels]


def test_bytes_and_labels_come_out_as_they_are(read):
    pictures = [*rows(2), {"bytes": jpeg(9), "path": None}]
    images = read(parquet(pictures, [2, 0, 1]))
    assert contents(images) == [one["bytes"] for one in pictures]
    assert labels(images) == ["a/b", "007", "NA"]
    names = [images.file(row) for row in range(3)]
    assert names == ["00000000-0.png", "00000001-1.png", "00000002.jpg"]


def test_labels_that_are_text_stay_text(read):
    images = read(parquet(rows(4), ["007", "NA", "a/b", "1e5"], metadata=""))
    assert labels(images) == ["007", "NA", "a/b", "1e5"]


def test_text_in_a_dictionary_is_text(read):
    labels_ = pa.array(["x", "y", "x"]).dictionary_encode()
    assert labels(read(parquet(rows(3), labels_))) == ["x", "y", "x"]


def test_numbers_without_names_are_names_and_it_is_told(read):
    images = read(parquet(rows(3), [7, 10, 7], metadata=""))
    assert labels(images) == ["7", "10", "7"]
    assert any("'label' are their names" in one for one in images.notices)


def test_shards_are_read_in_order_and_numbered_on(read):
    images = read(
        {
            "README.md": b"# my dataset",
            "data/train-00001-of-00002.parquet": parquet(rows(1), [1]),
            "data/train-00000-of-00002.parquet": parquet(rows(2), [0, 2]),
        }
    )
    assert labels(images) == ["007", "a/b", "NA"]
    assert images.file(2) == "00001/00000002-0.png"


def test_parts_are_not_joined_unless_asked(read):
    files = {
        "train-00000-of-00001.parquet": parquet(rows(3), [0, 1, 2]),
        "test-00000-of-00001-abc123.parquet": parquet(rows(1), [0]),
    }
    with pytest.raises(InvalidDatasetError, match="parts of a dataset: 'test', 'train'") as refused:
        read(files)
    assert refused.value.details["option"] == "--part test"
    assert len(read(files, part="train")) == 3


def test_a_part_that_is_not_there_is_named(read):
    with pytest.raises(InvalidDatasetError, match="no shard of part 'val', but of 'train'"):
        read({"train-00000-of-00001.parquet": parquet(rows(), [0, 1, 2] * 2)}, part="val")


def test_a_missing_shard_is_named(read):
    files = {"train-00001-of-00003.parquet": parquet(rows(), [0, 1, 2] * 2)}
    with pytest.raises(InvalidDatasetError, match="1 of the 3 shards of 'train': number 0"):
        read(files)


def test_shards_with_other_class_names_are_refused(read):
    other = {"names": ["x", "y", "z"], "_type": "ClassLabel"}
    files = {
        "a-00000-of-00002.parquet": parquet(rows(3), [0, 1, 2]),
        "a-00001-of-00002.parquet": parquet(rows(3), [0, 1, 2], feature=other),
    }
    with pytest.raises(InvalidDatasetError, match="other class names than a-00000"):
        read(files)


def test_a_folder_of_links_is_read_only_when_asked(read, tree):
    blob = tree.root / "blob"
    tree.write({"snapshot/.keep": b"", "blob": parquet(rows(3), [0, 1, 2])})
    (tree.root / "snapshot/train-00000-of-00001.parquet").symlink_to(blob)
    with pytest.raises(InvalidDatasetError, match="links are not followed"):
        read({}, "snapshot")
    assert len(read({}, "snapshot", follow_links=True)) == 3


def test_parquet_is_known_by_its_content_and_class_folders_are_not(tree):
    content = parquet(rows(), [0, 1, 2] * 2)
    tree.write({"x.bin": content, "c/a/1.png": png(), "c/b/2.png": png(), "c/x.parquet": content})
    assert find_source(tree.root / "x.bin").kind == "parquet"
    assert find_source(tree.root / "c").kind == "folder"
    assert shard_files(tree.root / "c") == ()


@pytest.mark.parametrize("path", ["../../evil.png", "/etc/evil.png", "..\\evil.png", "..", "a\0b"])
def test_a_path_in_a_row_leads_nowhere(read, tmp_path, path):
    images = read(parquet([{"bytes": png(), "path": path}], [0]), empty_classes="drop")
    assert sorted(os.listdir(tmp_path)) == ["out", "source"]  # noqa: PTH208
    name = images.file(0)
    assert name.startswith("00000000")
    assert "/" not in name
    assert contents(images) == [png()]


def test_equal_paths_do_not_collide(read):
    pictures = [{"bytes": png(number), "path": "same.png"} for number in range(3)]
    images = read(parquet(pictures, [0, 1, 2]))
    assert contents(images) == [one["bytes"] for one in pictures]


def test_rows_without_bytes_are_left_out_with_their_path(read):
    pictures = [*rows(3), {"bytes": None, "path": "gone/4.png"}, None, {"bytes": b"", "path": None}]
    images = read(parquet(pictures, [0, 1, 2] * 2), max_rejected_fraction=0.5)
    assert len(images) == 3
    assert [one.reason for one in images.rejected] == [
        "has no bytes in its row, only the path 'gone/4.png'",
        "has no bytes in its row",
        "has no bytes in its row",
    ]
    assert [one.label for one in images.rejected] == NAMES


def test_a_file_of_paths_only_says_so(read):
    with pytest.raises(InvalidDatasetError, match=r"None of the 2 rows .* only paths such as 'a"):
        read(parquet([{"bytes": None, "path": "a"}, {"bytes": None, "path": "b"}], [0, 1]))


def test_bytes_that_are_no_picture_are_left_out_by_the_decoder(read):
    pictures = [*rows(3), {"bytes": b"<html>", "path": "x.png"}]
    images = read(parquet(pictures, [0, 1, 2, 0]), max_rejected_fraction=0.5)
    assert [one.file for one in images.rejected] == ["00000003-x.png"]


@pytest.mark.parametrize("label", [3, -2, 10**12])
def test_labels_out_of_range_are_refused_with_their_row(read, label):
    told = f"1 wrong row. row 1: has the label {label}, but there are names for 0 to 2"
    with pytest.raises(InvalidDatasetError, match=told):
        read(parquet(rows(2), [0, label]))


def test_minus_one_means_no_label(read):
    images = read(parquet(rows(2), [-1, -1]))
    assert not images.is_labelled


def test_rows_with_and_without_labels_are_refused(read):
    with pytest.raises(InvalidDatasetError, match="has a label in row 0 but none in row 1"):
        read(parquet(rows(2), [0, None], kind=pa.int64()))


def test_classes_without_rows_are_refused_or_dropped(read):
    content = parquet(rows(2), [0, 1])
    with pytest.raises(InvalidDatasetError, match="classes that no picture has: 'a/b'"):
        read(content)
    assert read(content, empty_classes="drop").classes == ("007", "NA")


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ({"names": ["x", "x"], "_type": "ClassLabel"}, "name the class 'x' of 'label' twice"),
        ({"names": "xy", "_type": "ClassLabel"}, "give no list of names"),
        ({"names": ["x", 3], "_type": "ClassLabel"}, "give no list of names"),
        ({"names": ["x", ""], "_type": "ClassLabel"}, "give no list of names"),
    ],
)
def test_damaged_class_names_are_refused(read, feature, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read(parquet(rows(2), [0, 1], feature=feature))


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ("{", "are not valid JSON"),
        ("[" * 100_000, "are not valid JSON"),
        ('{"info": 3}', "have no object 'info.features'"),
        ('{"info": {"features": []}}', "have no object 'info.features'"),
    ],
)
def test_damaged_metadata_are_refused(read, metadata, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read(parquet(rows(2), [0, 1], metadata=metadata))


@pytest.mark.parametrize("kind", [pa.float64(), pa.bool_(), pa.list_(pa.int64())])
def test_labels_of_another_type_are_refused(read, kind):
    values = pa.array([None, None], kind)
    with pytest.raises(InvalidDatasetError, match=r"'label' .* has the type .* whole numbers"):
        read(parquet(rows(2), values))


def test_a_file_without_pictures_names_its_columns(read):
    with pytest.raises(InvalidDatasetError, match=r"no column with pictures.* 'image' \(int64\)"):
        read(parquet(pa.array([1, 2]), [0, 1]))


def test_several_columns_of_pictures_need_a_choice(read):
    extra = {"thumb": pa.array(rows(2), PICTURE)}
    content = parquet(pa.array([1, 2]), [0, 0], extra=extra | {"big": extra["thumb"]})
    with pytest.raises(InvalidDatasetError, match="several columns with pictures: 'thumb', 'big'"):
        read(content)
    assert len(read(content, file_column="big", empty_classes="drop")) == 2


def test_other_columns_are_not_taken_for_labels_by_a_guess(read):
    content = parquet(rows(2), extra={"species": pa.array(["x", "y"])})
    with pytest.raises(NotExpectedLabelColumnError, match="no column 'label', but 'species'"):
        read(content)
    assert read(content, label_column="species").classes == ("x", "y")


def test_without_labels_all_pictures_are_taken(read):
    assert not read(parquet(rows(3), [0, 99, None], kind=pa.int64()), labels="none").is_labelled


def test_groups_are_kept(read):
    extra = {"camera": pa.array([1, 2, 1])}
    images = read(parquet(rows(3), [0, 1, 2], extra=extra), group_column="camera")
    assert images.index.column("group").to_pylist() == ["1", "2", "1"]


@pytest.mark.parametrize("change", ["cut", "start", "flipped", "empty"])
def test_damaged_files_are_refused_by_name(read, change):
    whole = parquet(rows(), [0, 1, 2] * 2)
    damaged = {
        "cut": whole[: len(whole) // 2],
        "start": whole[:4] + b"\xff" * (len(whole) - 12) + whole[-8:],
        "flipped": whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        "empty": b"",
    }
    with pytest.raises(
        InvalidDatasetError, match=r"some.parquet is no Parquet file, or is damaged"
    ):
        read(damaged[change])


def test_a_row_group_that_repeats_one_picture_is_stopped_at_the_limit(read, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "FREE_BYTES", 1000)
    one = {"bytes": b"\0" * 100_000, "path": None}
    content = parquet([one] * 100, [0] * 100, compression="zstd")
    assert len(content) < 100_000
    with pytest.raises(InvalidDatasetError, match="unpacks to more than 20 times as much"):
        read(content)
    assert not (tmp_path / "out").exists()


def test_a_row_group_that_memory_cannot_hold_is_refused_with_both_numbers(read, monkeypatch):
    monkeypatch.setattr(unpack, "host_memory", lambda: HostMemory(10_000, 5_000, is_limited=False))
    told = r"Row group 0 of .* has 6 rows of .* takes about [\d,]+ bytes of memory; 5,000 are free"
    with pytest.raises(InvalidDatasetError, match=told):
        read(
            parquet([{"bytes": bytes(1000), "path": None}] * 6, [0, 1, 2] * 2, use_dictionary=False)
        )


def test_more_rows_than_the_limit_are_refused(read, monkeypatch):
    monkeypatch.setattr(limits, "MAX_MEMBERS", 5)
    with pytest.raises(InvalidDatasetError, match="more than 5 members"):
        read(parquet(rows(6), [0, 1, 2] * 2))


def test_unpacking_tells_how_far_it_is_and_stops(tree, tmp_path):
    tree.write({"a.parquet": parquet(rows(), [0, 1, 2] * 2)})
    cancel, told = CancelToken(), []

    def on_event(event):
        told.append(event)
        cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError):
        convert(tree.root / "a.parquet", tmp_path / "out", on_event=on_event, cancel=cancel)
    assert told == [Progress("Unpacking", 0, 6, "pictures")]
    assert not (tmp_path / "out").exists()


def test_a_changed_shard_is_converted_again(tree, tmp_path):
    settings = Settings(home=tmp_path / "home", workspace=tmp_path / "workspace")
    name = "train-00000-of-00001.parquet"
    tree.write({name: parquet(rows(3), [0, 1, 2])})
    first = open_images(tree.root, settings=settings)
    again = open_images(tree.root, settings=settings)
    assert first.root == again.root
    tree.write({name: parquet(rows(4), [0, 1, 2, 0])})
    assert len(open_images(tree.root, settings=settings)) == 4


def test_a_file_of_hugging_faces_own_library_is_read(read, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    )
    content = [{"image": one, "label": at} for at, one in enumerate(rows(3))]
    datasets.Dataset.from_list(content, features=features).to_parquet(tmp_path / "own.parquet")
    images = read((tmp_path / "own.parquet").read_bytes())
    assert contents(images) == [one["bytes"] for one in rows(3)]
    assert labels(images) == NAMES


def test_whatever_bytes_are_changed_only_named_errors_are_met(tree, tmp_path):
    generator = random.Random(1)
    whole = parquet(rows(), [0, 1, 2] * 2)
    for number in range(200):
        changed = bytearray(whole)
        for _ in range(generator.choice([1, 2, 5])):
            changed[generator.randrange(len(whole) // 2, len(whole))] = generator.randrange(256)
        tree.write({"x.parquet": bytes(changed)})
        into = tmp_path / str(number)
        into.mkdir()
        with contextlib.suppress(ImageloomError):
            unpack_parquet(tree.root / "x.parquet", into, ConvertParams(), control=Control())
