"""Pictures that may have several labels each: where they come from, and as image directories."""

import io
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_label_sets import LABELS, SEVERAL, label_set_pictures, write_label_sets

from imageloom.cli.root import run
from imageloom.data.convert import convert
from imageloom.data.corrections import Correction
from imageloom.data.exports.export import export_images
from imageloom.data.exports.params import ImageExportParams
from imageloom.data.images.check import check
from imageloom.data.images.correct import correct
from imageloom.data.images.directory import INDEX, load_image_directory
from imageloom.data.images.index import (
    SEVERAL_SCHEMA,
    problem_of,
    rows_and_labels,
    with_label_sets,
)
from imageloom.data.images.split import split
from imageloom.data.open import open_images
from imageloom.data.params import ConvertParams, SplitParams
from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.describe import Wanted, describe
from imageloom.data.previews.look_into import overview_of, pictures_of
from imageloom.data.previews.opened import OpenedDirectories
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import Thumbnails
from imageloom.data.similar.find import label_of
from imageloom.data.sources.table.read import read_table
from imageloom.errors import (
    InvalidDatasetError,
    NotExpectedLabelColumnError,
    ParameterParsingError,
)
from imageloom.events import Control

from .made_pictures import png

FILES = {f"{number}.png": b"X" for number in range(1, 4)}


@pytest.fixture
def read(tree, sealed):
    def run(name, text, **params):
        root = tree.write(FILES | {name: text.encode()})
        with sealed():
            wanted = ConvertParams(**({"labels": "several"} | params))
            return read_table(root / name, wanted, control=Control())

    return run


def sets(listing):
    return [
        [listing.classes[label] for label in labels]
        for labels in listing.files.column("labels").to_pylist()
    ]


def test_a_cell_is_cut_at_the_separator_and_an_empty_one_has_no_label(read):
    listing = read("t.csv", "file,labels\n1.png,dog|cat\n2.png,\n3.png, cat \n")
    assert listing.classes == ("cat", "dog")
    assert sets(listing) == [["cat", "dog"], [], ["cat"]]
    assert listing.files.column("label").to_pylist() == [-1, -1, -1]


def test_a_name_may_hold_the_usual_separator_where_another_is_given(read):
    text = "file,label\n1.png,a|b;c\n2.png,c\n3.png,a|b\n"
    listing = read("t.csv", text, label_separator=";")
    assert sets(listing) == [["a|b", "c"], ["c"], ["a|b"]]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("cat||dog", r"line 2: has an empty name among its labels, 'cat\|\|dog'"),
        ("|", "line 2: has an empty name among its labels"),
        ("cat|cat", "line 2: has the label 'cat' 2 times"),
    ],
)
def test_a_cell_that_is_no_set_is_refused_by_its_line(read, cell, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read("t.csv", f"file,labels\n1.png,{cell}\n2.png,cat\n")


def test_cells_cannot_be_cut_at_nothing(read):
    with pytest.raises(ParameterParsingError, match="label_separator is empty"):
        read("t.csv", "file,labels\n1.png,a\n", label_separator="")


def test_lists_of_json_lines_need_no_separator(read):
    rows = [
        {"file": "1.png", "labels": ["a|b", 7]},
        {"file": "2.png", "labels": []},
        {"file": "3.png", "labels": "7|c"},
    ]
    listing = read("t.jsonl", "\n".join(map(json.dumps, rows)))
    assert sets(listing) == [["7", "a|b"], [], ["7", "c"]]
    with pytest.raises(InvalidDatasetError, match="line 1: 'labels' is neither text, a number nor"):
        read("u.jsonl", json.dumps({"file": "1.png", "labels": [True]}))


def test_a_list_is_refused_where_each_picture_has_one_label(tree):
    root = tree.write(FILES | {"t.jsonl": b'{"file": "1.png", "label": ["a"]}'})
    with pytest.raises(InvalidDatasetError, match="'label' is neither text nor a number"):
        read_table(root / "t.jsonl", ConvertParams(), control=Control())


def test_columns_of_0_and_1_may_hold_any_number_of_ones(read):
    listing = read("t.csv", "file,a,b\n1.png,1,1\n2.png,0,0\n3.png,0,1\n")
    assert sets(listing) == [["a", "b"], [], ["b"]]
    assert "those with a 1 were read as the labels" in listing.notices[0]


def test_a_column_labels_that_was_not_asked_for_is_told_with_the_way_to_read_it(read):
    table = "file,labels\n1.png,red|blue\n"
    with pytest.raises(NotExpectedLabelColumnError, match="no column 'label'") as refused:
        read("t.csv", table, labels="source")
    assert "with --labels several" in refused.value.hint


def test_a_table_without_any_label_is_refused(read):
    with pytest.raises(InvalidDatasetError, match=r"No picture of .* has a label"):
        read("t.csv", "file,labels\n1.png,\n")
    with pytest.raises(NotExpectedLabelColumnError, match="has no column 'label'"):
        read("t.csv", "file,tags,other\n1.png,a,b\n")


def test_a_folder_and_pictures_of_one_label_cannot_have_several(tmp_path, make_pictures):
    one = make_pictures(per_class=1)
    with pytest.raises(InvalidDatasetError, match="read as a folder per class"):
        convert(one.root, tmp_path / "out", params=ConvertParams(labels="several"))
    with pytest.raises(InvalidDatasetError, match="were converted with one label each"):
        open_images(one, convert_params=ConvertParams(labels="several"))


def test_lists_in_parquet_are_label_sets(tmp_path):
    pictures = [{"bytes": png(number), "path": None} for number in range(3)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(pictures, kind), "labels": [[1, 0], [], [1]]})
    names = {"names": ["x", "y"], "_type": "ClassLabel"}
    features = {"image": {"_type": "Image"}, "labels": {"feature": names, "_type": "Sequence"}}
    metadata = json.dumps({"info": {"features": features}})
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({b"huggingface": metadata}), buffer)
    (tmp_path / "some.parquet").write_bytes(buffer.getvalue())
    params = ConvertParams(labels="several", workers=1)
    images = convert(tmp_path / "some.parquet", tmp_path / "out", params=params)
    assert images.label_sets.tolist() == [[True, True], [False, False], [False, True]]


def test_a_label_whose_pictures_are_all_unusable_is_refused_with_the_reason(tmp_path):
    write_label_sets(tmp_path / "in", 6)
    (tmp_path / "in" / "odd.png").write_bytes(b"no picture")
    with (tmp_path / "in" / "labels.csv").open("a") as table:
        table.write("odd.png,violet\n")
    params = SEVERAL.replace(max_rejected_fraction=0.5)
    with pytest.raises(InvalidDatasetError, match=r"'violet' .* each picture .* was left out.*odd"):
        convert(tmp_path / "in" / "labels.csv", tmp_path / "out", params=params)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return label_set_pictures(tmp_path_factory.mktemp("sets"), 60)


def test_an_image_directory_reads_back_as_it_was(made, tmp_path):
    made.save(tmp_path / "copy")
    again = load_image_directory(tmp_path / "copy")
    assert again.has_several_labels
    assert again.classes == LABELS
    assert again.label_sets.tolist() == made.label_sets.tolist()
    assert again.digest == made.digest
    assert again.counts == dict(zip(LABELS, made.label_sets.sum(axis=0).tolist(), strict=True))
    record = json.loads((tmp_path / "copy" / "image_directory.json").read_text())
    assert record["format_version"] == 2  # so that an older Imageloom says that it cannot read it


def test_other_labels_have_another_digest(made):
    rows, labels = rows_and_labels(made.index)
    fewer = with_label_sets(made.index, rows[1:], labels[1:])
    assert type(made)(made.classes, fewer, made.root).digest != made.digest


def test_labels_are_joined_by_name_when_the_classes_stand_otherwise(made):
    turned = made.with_classes(LABELS[::-1])
    assert turned.label_sets.tolist() == made.label_sets[:, ::-1].tolist()
    assert [turned.label_names(row)[::-1] for row in range(9)] == [
        made.label_names(row) for row in range(9)
    ]
    assert not made.without_labels().has_several_labels


def test_a_step_that_needs_one_label_says_so(made):
    with pytest.raises(InvalidDatasetError, match="may have several labels each, of 3 classes"):
        _ = made.labels
    with pytest.raises(
        InvalidDatasetError, match=r"'imageloom data correct'\) needs one class"
    ) as refused:
        correct(made, [Correction(file=made.file(0), sha256="", label="red")])
    assert "Change the source" in refused.value.hint


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ([[0, 3]], "a row has the label 3, but there are 3 classes"),
        ([[-1]], "a row has the label -1"),
        ([[1, 0]], "the labels of a row do not rise"),
        ([[1, 1]], "the labels of a row do not rise"),
        ([None], "a row lacks a value"),
    ],
)
def test_an_index_whose_labels_cannot_be_is_refused(made, lists, told):
    one = made.index.slice(0, 1).drop_columns(["labels"])
    index = one.append_column(
        pa.field("labels", pa.list_(pa.int32()), nullable=False),
        pa.array(lists, pa.list_(pa.int32())),
    )
    assert index.schema.equals(SEVERAL_SCHEMA)
    assert told in problem_of(index, 3)


def test_a_damaged_index_is_refused_when_it_is_opened(made, tmp_path):
    made.save(tmp_path / "copy")
    (tmp_path / "copy" / INDEX).write_bytes(b"x" * 100)
    with pytest.raises(InvalidDatasetError, match=INDEX):
        load_image_directory(tmp_path / "copy")


def test_each_label_is_divided_in_its_proportion(made):
    first, second, third = split(made, SplitParams(fraction=0.6, third_fraction=0.2))
    assert len(first) + len(second) + len(third) == len(made)
    whole = made.label_sets.sum(axis=0)
    for part, share in ((first, 0.6), (second, 0.2), (third, 0.2)):
        assert np.abs(part.label_sets.sum(axis=0) - share * whole).max() <= 2
        assert abs(len(part) - share * len(made)) <= 2


def test_a_split_depends_on_bytes_and_seed_and_not_on_the_order(made):
    order = np.random.default_rng(0).permutation(len(made))
    names = {made.file(row) for row in range(len(made))}

    def files(images, seed):
        parts = split(images, SplitParams(fraction=0.7, seed=seed))
        return {parts[0].file(row) for row in range(len(parts[0]))}

    assert files(made, 1) == files(made.select(order), 1)
    assert files(made, 1) != files(made, 2)
    assert files(made, 1) < names


def test_groups_stay_together_and_labels_in_proportion(made):
    column = made.index.schema.get_field_index("group")
    groups = pa.array([f"camera {row % 20}" for row in range(len(made))])
    index = made.index.set_column(column, made.index.schema.field(column), groups)
    grouped = type(made)(made.classes, index, made.root)
    parts = split(grouped, SplitParams(fraction=0.6, by_group=True))
    first, second = (set(part.index.column("group").to_pylist()) for part in parts)
    assert not first & second
    whole = made.label_sets.sum(axis=0)
    assert np.abs(parts[0].label_sets.sum(axis=0) - 0.6 * whole).max() <= 3


def test_a_rare_label_stands_in_both_parts(made):
    rows, labels = rows_and_labels(made.index)
    red = LABELS.index("red")
    kept = (labels != red) | (rows < np.flatnonzero(made.label_sets[:, red])[2])
    index = with_label_sets(made.index, rows[kept], labels[kept])
    rare = type(made)(made.classes, index, made.root)
    assert rare.counts["red"] == 2
    parts = split(rare, SplitParams(fraction=0.9))
    assert [part.counts["red"] for part in parts] == [1, 1]


def test_the_studio_counts_each_label_and_lists_pictures_by_it(made):
    overview = overview_of(made)
    counts = {one.name: one.images for one in overview.classes}
    assert counts == made.counts | {None: int((~made.label_sets.any(axis=1)).sum())}
    page = pictures_of(made, label="red", rows=None, offset=0, limit=100)
    assert page.total == made.counts["red"]
    assert all("red" in one.label.split(", ") for one in page.pictures)
    assert label_of(made, page.pictures[0].row) == page.pictures[0].label


@pytest.mark.parametrize(
    ("form", "source"), [("parquet", "out"), ("coco", "out/instances_train.json")]
)
def test_some_forms_hold_the_labels(made, tmp_path, form, source):
    export_images(made, tmp_path / "out", params=ImageExportParams(to=form))
    params = ConvertParams(labels="several", workers=1)
    again = convert(tmp_path / source, tmp_path / "again", params=params)
    assert again.classes == made.classes
    assert again.label_sets.tolist() == made.label_sets.tolist()


def test_other_forms_refuse_several_labels(made, tmp_path):
    for form in ("folders", "webdataset"):
        with pytest.raises(InvalidDatasetError, match=f"--to {form}' needs one class") as refused:
            export_images(made, tmp_path / form, params=ImageExportParams(to=form))
        assert "parquet and coco hold several labels" in refused.value.hint


def test_the_screen_of_an_export_adds_up_labels_and_not_pictures(tmp_path, capsys):
    made = label_set_pictures(tmp_path, 12)
    out = str(tmp_path / "out")
    assert run(["data", "export", str(tmp_path / "images"), "--to", "coco", "--out", out]) == 0
    assert ["all", "labels", f"{made.label_sets.sum()}"] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]


def test_copies_are_not_sent_to_a_command_that_refuses_several_labels(tmp_path, capsys):
    write_label_sets(tmp_path / "pictures", 3)
    shutil.copy(tmp_path / "pictures" / "000.png", tmp_path / "pictures" / "001.png")
    table = tmp_path / "pictures" / "labels.csv"
    convert(table, tmp_path / "images", params=SEVERAL)
    assert run(["data", "duplicates", str(tmp_path / "images")]) == 1
    told = capsys.readouterr().out
    assert "data correct" not in told
    assert "leave them out of the source" in told


def test_a_check_counts_pictures_by_label(made):
    report = check(made)
    assert report.images_per_class == made.counts
    assert report.is_labelled
    assert report.changed == ()


@pytest.mark.parametrize("source", ["pictures/labels.csv", "images"])
def test_a_source_is_described_by_label_before_and_after_it_is_converted(tmp_path, source):
    images = label_set_pictures(tmp_path, 30)
    (tmp_path / "pictures" / "000.png").write_bytes(b"no picture")  # after it was converted
    cache = ThumbnailCache(tmp_path / "cache")
    cache.prepare()
    thumbnails = Thumbnails(cache, Reach(roots=()))
    wanted = Wanted(ConvertParams(labels="several"), samples=2, size=96)
    found = describe(str(tmp_path / source), wanted, thumbnails, OpenedDirectories()).description
    kept = images.label_sets if source == "images" else images.label_sets[1:]
    counts = {one.name: one.images for one in found.classes}
    expected = dict(zip(LABELS, kept.sum(axis=0).tolist(), strict=True))
    assert counts == expected | {None: int((~kept.any(axis=1)).sum())}
    assert found.images == len(kept)
    assert found.losses.emptied == ()
    rows = {name: found.classes[place].samples for place, name in enumerate(LABELS)}
    for name, samples in rows.items():
        shown = [int(one.file.removesuffix(".png")) for one in samples]
        assert images.label_sets[shown, LABELS.index(name)].all()
