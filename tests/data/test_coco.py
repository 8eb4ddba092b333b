import json

import pytest

from imageloom.data.params import ConvertParams
from imageloom.data.sources.coco import read_coco
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control

X = b"not decoded here"
CATEGORIES = [{"id": 1, "name": "dog"}, {"id": 7, "name": "007"}]
IMAGES = [{"id": 10, "file_name": "1.png"}, {"id": 11, "file_name": "2.png"}]
ANNOTATIONS = [{"image_id": 10, "category_id": 7}, {"image_id": 11, "category_id": 1}]


@pytest.fixture
def read(tree, sealed):
    def run(images=IMAGES, annotations=ANNOTATIONS, categories=CATEGORIES, *, text=None, **params):
        content = {"images": images, "annotations": annotations, "categories": categories}
        written = (text or json.dumps(content)).encode()
        root = tree.write({"1.png": X, "2.png": X, "coco.json": written})
        with sealed():
            return read_coco(root / "coco.json", ConvertParams(**params), control=Control())

    return run


def test_the_one_category_of_a_picture_is_its_class(read):
    listing = read()
    assert listing.classes == ("007", "dog")
    assert listing.files.column("path").to_pylist() == [b"1.png", b"2.png"]
    assert listing.files.column("label").to_pylist() == [0, 1]


def test_several_boxes_of_one_category_are_one_label(read):
    listing = read(annotations=[*ANNOTATIONS, *ANNOTATIONS])
    assert listing.files.column("label").to_pylist() == [0, 1]


def test_a_picture_with_two_categories_is_refused_by_name(read):
    with pytest.raises(InvalidDatasetError, match=r"'1.png' has '007', 'dog'") as refused:
        read(annotations=[*ANNOTATIONS, {"image_id": 10, "category_id": 1}])
    assert "--labels several" in refused.value.hint


def test_all_categories_of_a_picture_are_its_labels_where_it_may_have_several(read):
    both = {"image_id": 10, "category_id": 1}
    listing = read(annotations=[*ANNOTATIONS, both, both], labels="several")
    assert listing.classes == ("007", "dog")
    assert listing.files.column("labels").to_pylist() == [[0, 1], [1]]
    assert listing.files.column("label").to_pylist() == [-1, -1]


def test_a_picture_without_boxes_has_none_of_the_labels(read):
    listing = read(annotations=ANNOTATIONS[:1], labels="several", empty_classes="drop")
    assert listing.files.column("labels").to_pylist() == [[0], []]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"images": [*IMAGES, IMAGES[0]]}, "image 3: has the id 10 of another image"),
        ({"categories": [*CATEGORIES, CATEGORIES[0]]}, "category 3: has the id 1"),
        ({"categories": [*CATEGORIES, {"id": 8, "name": "dog"}]}, "category 3: has the name 'dog'"),
        ({"annotations": [{"image_id": 99, "category_id": 1}]}, "annotation 1: .* image_id 99"),
        ({"annotations": [{"image_id": 10, "category_id": 5}]}, "annotation 1: .* category_id 5"),
        (
            {"annotations": [{"image_id": 10, "category_id": 1.5}]},
            "annotation 1: .* category_id 1.5",
        ),
        (
            {"annotations": [{"image_id": 10, "category_id": None}]},
            "has 1 wrong row.* annotation 1: .* category_id null",
        ),
        ({"annotations": [{"image_id": 10}]}, "annotation 1: has no 'category_id'"),
        ({"images": [{"id": 10}]}, "image 1: needs an 'id' and a 'file_name'.* not {\"id\": 10}"),
        ({"images": [{"id": True, "file_name": "1.png"}]}, "image 1: needs an 'id'"),
        ({"annotations": ANNOTATIONS[:1]}, "label in image 1 but none in image 2"),
        (
            {"categories": [*CATEGORIES, {"id": 9, "name": "cat"}]},
            "classes that no picture has: 'cat'",
        ),
        ({"images": [IMAGES[0], {"id": 11, "file_name": "../2.png"}]}, "image 2: .* leads up"),
        ({"images": [IMAGES[0], {"id": 11, "file_name": "3.png"}]}, "image 2: there is no file"),
        ({"images": []}, "has no 'images'"),
    ],
)
def test_c15_what_is_wrong_is_named_by_its_place(read, changes, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read(**changes)


def test_a_category_without_pictures_can_be_dropped(read):
    listing = read(categories=[*CATEGORIES, {"id": 9, "name": "cat"}], empty_classes="drop")
    assert listing.classes == ("007", "dog")


def test_without_annotations_the_pictures_are_unlabelled(read):
    assert read(annotations=[]).classes == ()


def test_annotations_can_be_passed_over(read):
    several = [*ANNOTATIONS, {"image_id": 10, "category_id": 1}]
    assert read(annotations=several, labels="none").classes == ()


def test_a_key_of_the_images_may_name_groups(read):
    images = [image | {"camera": number} for number, image in enumerate(IMAGES)]
    assert read(images, group_column="camera").files.column("group").to_pylist() == ["0", "1"]


@pytest.mark.parametrize("text", ["{", "[1]", '{"images": 3}', '{"images": [1]}', "[" * 200_000])
def test_what_is_no_coco_file_is_told_with_the_other_format(read, text):
    with pytest.raises(InvalidDatasetError) as refused:
        read(text=text)
    assert refused.value.reason == "not-coco"
    assert ".jsonl" in refused.value.hint


def test_white_space_around_a_category_makes_no_class_of_its_own(read):
    listing = read(categories=[{"id": 1, "name": "dog "}, {"id": 7, "name": "007"}])
    assert listing.classes == ("007", "dog")
    assert any("White space around 1 value of coco.json" in one for one in listing.notices)
    annotations = [{"image_id": 10, "category_id": 8}]
    with pytest.raises(
        InvalidDatasetError, match=r"1 wrong row\. category 3: has the name 'dog' of another"
    ):
        read(categories=[*CATEGORIES, {"id": 8, "name": "dog "}], annotations=annotations)


def test_whole_numbers_that_a_program_wrote_with_a_fraction_are_the_same_ids(read):
    annotations = [
        {"image_id": 10.0, "category_id": 7.0},
        {"image_id": 11, "category_id": 1.0},
    ]
    assert read(annotations=annotations).files.column("label").to_pylist() == [0, 1]


def test_broken_json_is_told_with_one_place(read):
    with pytest.raises(
        InvalidDatasetError, match=r"valid JSON: expecting value in line 2, column 4\."
    ):
        read(text='{"images":\n   }')
    with pytest.raises(InvalidDatasetError, match=r"valid JSON: it is nested too deep\."):
        read(text="[" * 200_000)


def test_many_pictures_with_several_categories_are_three_and_a_count(read):
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(9)]
    annotations = [{"image_id": n, "category_id": c} for n in range(9) for c in (1, 7)]
    with pytest.raises(InvalidDatasetError, match=r"has 9 pictures with several .* and 6 more"):
        read(images, annotations)
