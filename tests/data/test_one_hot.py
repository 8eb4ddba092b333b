"""One-hot tables are read when nothing else can be meant; each row needs exactly one class."""

import pytest

from imageloom.data.params import ConvertParams
from imageloom.data.sources.table.read import read_table
from imageloom.errors import InvalidDatasetError, NotExpectedLabelColumnError
from imageloom.events import Control


@pytest.fixture
def read(tree, sealed):
    def run(text, **params):
        root = tree.write({"1.png": b"X", "2.png": b"X", "3.png": b"X", "t.csv": text.encode()})
        with sealed():
            return read_table(root / "t.csv", ConvertParams(**params), control=Control())

    return run


def labels(listing):
    return [listing.classes[row["label"]] for row in listing.files.to_pylist()]


ROBOFLOW = "filename, Ant, Honey Bee\n1.png, 1, 0\n2.png, 0, 1\n3.png, 1, 0\n"


def test_a_column_of_0_and_1_per_class_is_read_and_told(read):
    listing = read(ROBOFLOW)
    assert labels(listing) == ["Ant", "Honey Bee", "Ant"]
    assert listing.notices == (
        "t.csv has a column of 0 and 1 for each class ('Ant', 'Honey Bee'): the one with the 1 was "
        "read as the label.",
    )


def test_marks_with_a_fraction_and_other_columns_that_are_known_are_no_matter(read):
    text = "file;a;b;split;camera\n1.png;1.0;0.0;train;n\n2.png;0.0;1.0;train;s\n"
    listing = read(text, group_column="camera")
    assert labels(listing) == ["a", "b"]
    assert listing.files.column("group").to_pylist() == ["n", "s"]
    parts = text.replace("1.0;train", "1.0;test")
    assert labels(read(parts, part="test", empty_classes="drop", group_column="camera")) == ["b"]


def test_rows_with_several_classes_or_none_are_refused_by_their_line(read):
    with pytest.raises(InvalidDatasetError, match="has 2 wrong rows") as refused:
        read("file,a,b,c\n1.png,1,1,0\n2.png,0,0,0\n3.png,0,1,0\n")
    assert "line 2: is of the classes 'a', 'b'; line 3: is of no class." in refused.value.message
    assert "can have only one here" in refused.value.hint
    assert "--labels none" in refused.value.hint


def test_a_class_that_no_row_has_is_refused_or_dropped(read):
    text = "file,a,b,c\n1.png,1,0,0\n2.png,0,1,0\n"
    with pytest.raises(InvalidDatasetError, match="classes that no picture has: 'c'") as refused:
        read(text)
    assert "--empty-classes drop" in refused.value.hint
    assert read(text, empty_classes="drop").classes == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "file,a,b\n1.png,1,0\n2.png,0,2\n",
        "file,a,b\n1.png,1,0\n2.png,0,\n",
        "file,a,b,name\n1.png,1,0,x\n2.png,0,1,y\n",
        "file,a\n1.png,1\n2.png,1\n",
        "file,train,test\n1.png,1,0\n2.png,0,1\n",
        "file,is_train,is_val\n1.png,1,0\n2.png,0,1\n",
    ],
    ids=["a 2", "an empty value", "a text", "one column", "parts", "parts with is_"],
)
def test_what_may_be_something_else_is_not_read_as_one_hot(read, text):
    with pytest.raises(NotExpectedLabelColumnError, match="no column 'label'"):
        read(text)


def test_what_was_asked_for_is_done_instead(read):
    assert labels(read("file,a,b\n1.png,1,0\n2.png,0,1\n", label_column="a")) == ["1", "0"]
    assert read("file,a,b\n1.png,1,0\n2.png,0,1\n", labels="none").classes == ()
    assert labels(read("file,label,b\n1.png,1,0\n2.png,0,1\n")) == ["1", "0"]
    with pytest.raises(InvalidDatasetError, match="no column 'picture'"):
        read(ROBOFLOW, file_column="picture")
