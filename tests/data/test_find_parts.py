import pytest

from imageloom.data.find_parts import find_parts
from imageloom.data.sources.parts import role_of
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError

X = b"not decoded here"


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["train/a", "val/a"], ("train", "val", None)),
        (["Training/a", "Validation/a", "Test/a"], ("Training", "Validation", "Test")),
        (["train/a", "valid/a", "test/a", "labels"], ("train", "valid", "test")),
        (["train_images/a", "val_images/a"], ("train_images", "val_images", None)),
        (["training_set/a", "validation-set/a"], ("training_set", "validation-set", None)),
        (["images/train/a", "images/val/a"], ("images/train", "images/val", None)),
        (["images/train/a", "images/val/a", "labels/train"], ("images/train", "images/val", None)),
        (
            ["dataset/images/train/a", "dataset/images/val/a"],
            ("dataset/images/train", "dataset/images/val", None),
        ),
        (
            ["photos-2024/train/a", "photos-2024/dev/a"],
            ("photos-2024/train", "photos-2024/dev", None),
        ),
    ],
)
def test_the_parts_are_found_by_their_names(tree, folders, expected):
    root = tree.write({f"{folder}/1.jpg": X for folder in folders})
    found = find_parts(root)
    assert found == tuple(None if name is None else root / name for name in expected)


def test_parts_may_be_links(tree, tmp_path):
    tree.write({"train/a/1.jpg": X})
    (tree.root / "val").symlink_to(tree.root / "train")
    assert find_parts(tree.root).validation == tree.root / "val"


def missing(tree, files):
    with pytest.raises(InvalidDatasetError, match="by its name the part for") as refused:
        find_parts(tree.write({f"{name}/1.jpg": X for name in files}))
    assert refused.value.reason == "no-parts"
    return refused.value


def test_the_test_part_stays_unseen_also_where_there_is_none_for_validation(tree):
    problem = missing(tree, ["train/a", "test/a"])
    assert "the part for validation. It holds 'test', 'train'." in problem.message
    assert "'test' is kept for the last test" in problem.hint
    assert f"imageloom data split {tree.root}/train --first train" in problem.hint


def test_without_any_part_the_message_lists_what_is_there(tree):
    problem = missing(tree, [f"class{number:02}" for number in range(20)])
    assert "training or validation. It holds 'class00', 'class01'" in problem.message
    assert problem.message.endswith("and 12 more.")
    assert f"imageloom data split {tree.root} --first train" in problem.hint


def test_two_folders_for_one_part_are_both_named(tree):
    tree.write({f"{name}/a/1.jpg": X for name in ("train", "training", "val")})
    with pytest.raises(InvalidDatasetError, match="'train', 'training' are by their names the"):
        find_parts(tree.root)


def test_a_file_and_nothing_are_told_apart(tree):
    tree.write({"x.zip": X})
    with pytest.raises(InvalidDatasetError, match=r"x\.zip is a file, not a folder with"):
        find_parts(tree.root / "x.zip")
    with pytest.raises(CouldNotOpenFileError, match="There is nothing at"):
        find_parts(tree.root / "gone")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("train", "training"),
        ("VAL", "validation"),
        ("test_images", "test"),
        ("images.valid", "validation"),
        ("train_val", None),  # both
        ("trains", None),
        ("seg_train", None),  # who knows what
        ("images", None),
        ("", None),
    ],
)
def test_a_part_is_known_by_its_name(name, role):
    assert role_of(name) == role
