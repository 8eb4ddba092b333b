"""The columns of a table are found, or the one that was meant is named."""

import pytest

from imageloom.data.params import ConvertParams
from imageloom.data.sources.table.columns import Columns, find_columns, meant_columns
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError


def find(tmp_path, names, **params):
    return find_columns(tmp_path / "list.csv", names, ConvertParams(**params))


def test_file_and_label_are_the_usual_names(tmp_path):
    assert find(tmp_path, ["label", "x", "file"]) == Columns("file", "label", None)


def test_a_table_of_files_alone_is_unlabelled(tmp_path):
    assert find(tmp_path, ["file"]).label is None
    assert find(tmp_path, ["", "file"]).label is None  # a table of pandas numbers its rows so
    assert find(tmp_path, ["file", "camera"], group_column="camera").label is None


@pytest.mark.parametrize(
    ("names", "flag"),
    [
        (["file", "class"], "--label-column class"),
        (["file", "Label"], "--label-column Label"),
        (["file", "lable", "camera"], "--label-column lable"),
        (["file", "Class Name", "camera"], "--label-column 'Class Name'"),
        (["file", "species", "camera", "date"], "--label-column species"),
        (["file", "y", "camera"], "--label-column y"),
        (["file", "anything"], "--label-column anything"),
        (["file", "genus", "species", "breed"], "--label-column species or --label-column breed"),
    ],
)
def test_the_label_column_that_was_meant_is_named(tmp_path, names, flag):
    with pytest.raises(
        NotExpectedLabelColumnError, match=r"no column 'label'\. It has 'file'"
    ) as refused:
        find(tmp_path, names)
    assert f"with {flag}." in refused.value.hint
    assert "--labels none" in refused.value.hint
    assert refused.value.details["columns"] == names


def test_columns_of_which_none_is_near_are_all_listed(tmp_path):
    with pytest.raises(
        NotExpectedLabelColumnError, match="It has 'file', 'camera', 'date'"
    ) as refused:
        find(tmp_path, ["file", "camera", "date"])
    assert "--label-column and the name of the one that holds the labels" in refused.value.hint


def test_unlabelled_takes_any_columns(tmp_path):
    assert find(tmp_path, ["file", "camera", "class"], labels="none").label is None
    assert find(tmp_path, ["file", "label"], labels="none").label is None


@pytest.mark.parametrize("names", [["file"], ["file", "species", "camera"]])
@pytest.mark.parametrize("asked", ["label", "specie"])
def test_a_label_column_that_was_asked_for_is_never_passed_over(tmp_path, names, asked):
    with pytest.raises(NotExpectedLabelColumnError, match=f"has no column '{asked}'") as refused:
        find(tmp_path, names, label_column=asked)
    assert ("--label-column species" in refused.value.hint) == ("species" in names)


@pytest.mark.parametrize("name", ["image_path", "filename", "filepath", "path", "image", "File"])
def test_the_file_column_that_was_meant_is_named(tmp_path, name):
    with pytest.raises(
        InvalidDatasetError, match=f"no column 'file'. It has '{name}', 'label'"
    ) as refused:
        find(tmp_path, [name, "label"])
    assert f"--file-column {name}." in refused.value.hint


def test_both_columns_that_were_meant_are_named_at_once(tmp_path):
    with pytest.raises(InvalidDatasetError, match="no column 'file'") as refused:
        find(tmp_path, ["image_path", "species", "camera"])
    assert "with --file-column image_path --label-column species." in refused.value.hint


def test_a_group_column_that_is_not_there_is_an_error_with_the_nearest(tmp_path):
    with pytest.raises(InvalidDatasetError, match="no column 'patients'") as refused:
        find(tmp_path, ["file", "label", "patient"], group_column="patients")
    assert "--group-column patient." in refused.value.hint


def test_a_hundred_columns_are_ten_names_and_a_count(tmp_path):
    with pytest.raises(NotExpectedLabelColumnError, match="'c8' and 91 more"):
        find(tmp_path, ["file", *(f"c{number}" for number in range(100))])


def test_the_nearest_spelling_counts_before_other_words():
    assert meant_columns("specie", ["class", "species"], words=frozenset({"class"})) == ["species"]
    assert meant_columns("file", ["fold", "x"]) == []
