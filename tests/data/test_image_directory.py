import dataclasses
import hashlib
import resource
import shutil

import numpy as np
import pyarrow as pa
import pytest
import vanishing

from imageloom.data.images.directory import ImageDirectory, Rejected, load_image_directory
from imageloom.data.images.index import SCHEMA, IndexRow, index_from_rows, read_index, write_index
from imageloom.errors import InvalidDatasetError, NotLabeledDatasetError
from imageloom.files.publish import MANIFEST, _write_manifest
from imageloom.preprocessing import RandomHorizontalFlip, Squash


def row(name, label, content=b"x", group=None):
    return IndexRow(
        path=name if isinstance(name, bytes) else name.encode(),
        label=label,
        width=4,
        height=3,
        orientation=1,
        format="PNG",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).digest(),
        group=group,
    )


@pytest.fixture
def images(tmp_path):
    (tmp_path / "root").mkdir()
    rows = [row("007/a.png", 0), row("NA/b.png", 1, b"y"), row(b"NA/caf\xe9.png", 1, b"z")]
    return ImageDirectory(("007", "NA"), index_from_rows(rows), tmp_path / "root")


def test_b01_b06_names_survive_saving_and_loading(images, tmp_path):
    images = images.with_transforms((Squash(size=8), RandomHorizontalFlip()))
    images.save(str(tmp_path / "saved"))  # as text, too
    loaded = load_image_directory(tmp_path / "saved")
    assert loaded.classes == ("007", "NA")
    assert loaded.index.equals(images.index)
    assert loaded.transforms == images.transforms
    assert loaded.file(2) == r"NA/caf\xe9.png"
    assert loaded.path(2).endswith(b"caf\xe9.png")
    assert loaded.counts == {"007": 1, "NA": 2}
    assert loaded.digest == images.digest


def test_digest_follows_content_not_place(images, tmp_path):
    moved = ImageDirectory(images.classes, images.index, tmp_path / "elsewhere")
    assert moved.digest == images.digest
    relabelled = index_from_rows([row("007/a.png", 1), row("NA/b.png", 1, b"y")])
    changed = index_from_rows([row("007/a.png", 0, b"!"), row("NA/b.png", 1, b"y")])
    digests = {
        ImageDirectory(images.classes, index, images.root).digest
        for index in (images.index, images.index.slice(0, 2), relabelled, changed)
    }
    assert len(digests) == 4


def test_labels_are_joined_by_name_when_the_order_changes(images):
    turned = images.with_classes(("NA", "007"))
    assert turned.labels.tolist() == [1, 0, 0]
    assert turned.counts == {"NA": 2, "007": 1}


def test_unlabelled_pictures_are_told_by_count(images):
    mixed = ImageDirectory(("a",), index_from_rows([row("x", 0), row("y", -1)]), images.root)
    assert not mixed.is_labelled
    words = r"^1 of the 2 training pictures in .* has no label\. "
    with pytest.raises(NotLabeledDatasetError, match=words):
        mixed.require_labels("the training pictures")
    rows = [row("x", 0), *(row(name, -1) for name in "yz")]
    with pytest.raises(NotLabeledDatasetError, match=r"^2 of the 3 .* have no label\. "):
        ImageDirectory(("a",), index_from_rows(rows), images.root).require_labels("the pictures")
    none = ImageDirectory((), index_from_rows(rows[1:]), images.root)
    with pytest.raises(NotLabeledDatasetError, match=r"^None of the 2 training pictures in .* has"):
        none.require_labels("the training pictures")
    images.require_labels("the training pictures")


def test_an_empty_image_directory_says_what_pictures_are_needed_for(images):
    with pytest.raises(InvalidDatasetError, match=r"no pictures in .* to score"):
        images.select(np.array([], dtype=np.int64)).require_pictures("to score")
    images.require_pictures("to score")


def test_selection_keeps_the_class_list(images):
    assert images.select(np.array([2])).counts == {"007": 0, "NA": 1}


@pytest.mark.parametrize("name", ["image_directory.json", "index.arrow", "rejected.jsonl"])
def test_s07_every_damaged_file_is_named(images, tmp_path, name):
    images.save(tmp_path / "saved")
    file = tmp_path / "saved" / name
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(InvalidDatasetError, match=name):
        load_image_directory(tmp_path / "saved")


def resealed(path, name, change):
    """Change a file of a published directory as its own writer would: with a new manifest."""
    file = path / name
    if name == "index.arrow":
        index = change(pa.Table.from_batches(read_index(file).to_batches()))
        file.unlink()  # the old one may still be mapped
        write_index(index, file)
    else:
        file.write_text(change(file.read_text()))
    (path / MANIFEST).unlink()
    _write_manifest(path)


def with_column(name, values):
    return lambda index: index.set_column(
        SCHEMA.get_field_index(name), SCHEMA.field(name), pa.array(values, SCHEMA.field(name).type)
    )


BAD_INDEXES = {
    "label-beyond": (with_column("label", [0, 1, 2]), "label is 2, but must be -1 to 1"),
    "label-below": (with_column("label", [0, 1, -2]), "label is -2, but must be -1 to 1"),
    "negative-size": (with_column("size_bytes", [1, -1, 1]), "size_bytes is -1, but must be 1"),
    "no-width": (with_column("width", [1, 0, 1]), "width is 0, but must be 1 to"),
    "orientation": (with_column("orientation", [1, 9, 1]), "orientation is 9, but must be 1 to 8"),
    "leads-out": (with_column("path", [b"a", b"a/../../b", b"c"]), r"path is 'a/../../b', but"),
    "absolute": (with_column("path", [b"a", b"/etc/passwd", b"c"]), "path is '/etc/passwd', but"),
    "nul": (with_column("path", [b"a", b"b\0b", b"c"]), "but must lie below the root"),
    "no-name": (with_column("path", [b"a", b"", b"c"]), "path is '', but must lie below"),
    "lacks-value": (
        lambda index: index.cast(pa.schema([one.with_nullable(True) for one in SCHEMA])),
        "of other types than they must be",
    ),
    "lacks-column": (lambda index: index.drop_columns(["sha256"]), "its columns are 'path',"),
    "other-type": (
        lambda index: index.set_column(1, "label", index.column("label").cast(pa.int64())),
        "of other types than they must be",
    ),
}


@pytest.mark.parametrize("name", BAD_INDEXES)
def test_an_index_that_names_no_picture_or_no_class_is_refused_when_it_is_opened(
    images, tmp_path, name
):
    change, message = BAD_INDEXES[name]
    images.save(tmp_path / "saved")
    resealed(tmp_path / "saved", "index.arrow", change)
    with pytest.raises(InvalidDatasetError, match=message):
        load_image_directory(tmp_path / "saved")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("image_directory.json", '"root":', '"roof":', "root is None, but must be a path"),
        ("image_directory.json", '"classes":', '"glasses":', "classes is None, but must be a list"),
        ("rejected.jsonl", '"file"', '"pile"', "a line is no rejected file"),
        ("rejected.jsonl", '"no picture"', "7", "a value of another type"),
        ("rejected.jsonl", "{", "[", "a line is no rejected file"),
    ],
)
def test_a_record_that_was_written_by_others_is_refused_with_its_file(
    images, tmp_path, name, old, new, message
):
    rejected = (Rejected("a.png", "no picture"),)
    dataclasses.replace(images, rejected=rejected).save(tmp_path / "saved")
    resealed(tmp_path / "saved", name, lambda text: text.replace(old, new))
    with pytest.raises(InvalidDatasetError, match=message) as problem:
        load_image_directory(tmp_path / "saved")
    assert problem.value.details["file"] == name


def test_pictures_that_moved_away_are_missed_at_once(images, tmp_path):
    images.save(tmp_path / "saved")
    images.root.rmdir()
    with pytest.raises(InvalidDatasetError, match=r"should lie in .*root, which is not there"):
        load_image_directory(tmp_path / "saved")


@pytest.mark.slow
def test_b21_a_large_index_opens_without_python_objects(tmp_path):
    count = 1_300_000
    numbers = np.arange(count)
    digests = np.zeros((count, 32), dtype=np.uint8)
    digests[:, :8] = numbers.view(np.uint8).reshape(count, 8)
    columns = {
        "path": pa.array([b"class/%012d.jpg" % number for number in range(count)], pa.binary()),
        "label": pa.array((numbers % 1000).astype(np.int32)),
        "width": pa.array(np.full(count, 500, np.int32)),
        "height": pa.array(np.full(count, 375, np.int32)),
        "orientation": pa.array(np.ones(count, np.int8)),
        "format": pa.array(["JPEG"] * count),
        "size_bytes": pa.array(np.full(count, 110_000, np.int64)),
        "sha256": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(32), count, [None, pa.py_buffer(digests.tobytes())]
        ),
        "group": pa.nulls(count, pa.string()),
    }
    write_index(pa.Table.from_pydict(columns, schema=SCHEMA), tmp_path / "index.arrow")
    del columns
    before = pa.total_allocated_bytes()
    index = read_index(tmp_path / "index.arrow")
    assert index.num_rows == count
    assert index.column("path")[count - 1].as_py() == b"class/%012d.jpg" % (count - 1)
    # The rows stay in the mapped file: nothing of them is copied.
    assert pa.total_allocated_bytes() - before < 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * 2**20  # KiB


@pytest.mark.parametrize("fault", vanishing.FAULTS)
def test_a_directory_that_vanishes_or_fails_at_any_point_is_an_error_with_its_name(
    images, tmp_path, fault
):
    images.save(tmp_path / "whole")

    def make():
        return shutil.copytree(tmp_path / "whole", tmp_path / "saved", dirs_exist_ok=True)

    *disturbed, quiet = vanishing.outcomes(make, load_image_directory, fault)
    assert quiet is None
    assert len(disturbed) >= 6
    named = [problem for problem in disturbed if problem is not None]  # pyarrow may do without
    assert {type(problem) for problem in named} == {InvalidDatasetError}
    assert all(str(tmp_path / "saved") in problem.message and problem.hint for problem in named)
