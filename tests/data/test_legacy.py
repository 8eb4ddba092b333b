import json

import pytest

from imageloom.data.params import ConvertParams
from imageloom.data.sources.legacy import read_old_directory
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control

X = b"not decoded here"
META = "type: ImageDirectory  # made by a module\nimage_list: 'images.lst'\nextra:\n  type: other\n"


def line(number, category="cat", file=None):
    row = {"id": number, "image_info": {"file_name": file or f"{number}.png", "width": 3}}
    return json.dumps(row | ({} if category is None else {"category": category})) + "\n"


@pytest.fixture
def read(tree, sealed):
    def run(lines, meta=META, labels="source"):
        files = {f"image/{number}.png": X for number in (1, 2, 3)}
        root = tree.write(files | {"_meta.yaml": meta.encode(), "images.lst": lines.encode()})
        with sealed():
            return read_old_directory(root, ConvertParams(labels=labels), control=Control())

    return run


def test_pictures_and_categories_are_read(read, tree):
    listing = read(line(1, "dog") + line(2, "007") + line(3, "dog"))
    assert listing.classes == ("007", "dog")
    assert listing.root == tree.root
    assert listing.files.column("path").to_pylist() == [
        b"image/1.png",
        b"image/2.png",
        b"image/3.png",
    ]
    assert listing.files.column("label").to_pylist() == [1, 0, 1]


def test_a_category_that_the_old_designer_wrote_as_a_number_stays_text(read):
    row = '{"id": 1, "image_info": {"file_name": "1.png"}, "category": 7}\n'
    assert read(row).classes == ("7",)


def test_without_categories_the_pictures_are_unlabelled(read):
    assert read(line(1, None) + line(2, None)).classes == ()


def test_file_names_may_start_from_the_folder_itself(read):
    assert read(line(1, file="image/1.png")).files.column("path").to_pylist() == [b"image/1.png"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (line(1) + line(1, file="2.png"), "line 2: has the id '1' of line 1"),
        (line(1) + line(2, file="1.png"), "line 2: names the same file as line 1"),
        (line(9), "line 1: there is no file"),
        (line(1, file="../../x.png"), "leads up"),
        ('{"id": 1}\n', "line 1: has no image_info.file_name"),
        ("nonsense\n", "line 1: "),
        (line(1) + line(2, None), "label in line 1 but none in line 2"),
    ],
)
def test_c15_wrong_rows_are_named(read, lines, told):
    with pytest.raises(InvalidDatasetError) as refused:
        read(lines)
    assert told in refused.value.message


def test_another_kind_of_directory_says_what_it_is(read):
    with pytest.raises(InvalidDatasetError, match="of type 'ModelDirectory'"):
        read(line(1), meta="type: ModelDirectory\n")


def test_a_list_outside_the_folder_is_not_read(read):
    with pytest.raises(InvalidDatasetError, match="leads out of the folder"):
        read(line(1), meta="type: ImageDirectory\nimage_list: ../../etc/passwd\n")


def test_a_directory_that_is_labelled_in_part_is_taken_without_labels_as_the_hint_says(read):
    lines = line(1) + line(2, category=None)
    with pytest.raises(InvalidDatasetError, match="label in line 1 but none in line 2") as refused:
        read(lines)
    assert "--labels none" in refused.value.hint
    listing = read(lines, labels="none")
    assert listing.classes == ()
    assert len(listing) == 2
