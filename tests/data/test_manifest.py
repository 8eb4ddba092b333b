import pytest

from imageloom.data.index import UNLABELLED
from imageloom.data.manifest import read_table
from imageloom.data.params import ConvertParams
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    NotExpectedLabelColumnError,
)

X = b"not decoded here"


@pytest.fixture
def read(tree, sealed):
    """Write a manifest beside pictures 1.png to 4.png and read it."""

    def run(text, name="list.csv", **params):
        content = text if isinstance(text, bytes) else text.encode()
        files = {f"{number}.png": X for number in range(1, 5)}
        root = tree.write(files | {"sub/5.png": X, name: content})
        with sealed():
            return read_table(root / name, ConvertParams(**params))

    return run


def rows(listing):
    return [
        (
            row["path"].decode(),
            None if row["label"] == UNLABELLED else listing.classes[row["label"]],
            row["group"],
        )
        for row in listing.files.to_pylist()
    ]


def test_rows_keep_their_order_and_classes_stand_in_string_order(read):
    listing = read("file,label\n2.png,dog\n1.png,cat\nsub/5.png,dog\n")
    assert listing.classes == ("cat", "dog")
    assert rows(listing) == [
        ("2.png", "dog", None),
        ("1.png", "cat", None),
        ("sub/5.png", "dog", None),
    ]


@pytest.mark.parametrize("label", ["007", "NA", "null", "1e5", "True", "nan", "-0", "None"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_b06_a_label_that_looks_like_something_else_stays_text(read, label, kind):
    if kind == "csv":
        listing = read(f"file,label\n1.png,{label}\n")
    else:
        listing = read(f'{{"file": "1.png", "label": "{label}"}}\n', "list.jsonl")
    assert listing.classes == (label,)


@pytest.mark.parametrize("number", ["7", "7.50", "1e5", "12345678901234567890.10"])
def test_a_number_in_json_lines_is_the_text_it_was_written_as(read, number):
    assert read(f'{{"file": "1.png", "label": {number}}}\n', "list.jsonl").classes == (number,)


def test_columns_may_have_other_names_and_groups(read):
    text = "id,Bild,Klasse,Patient\n1,1.png,a,p1\n2,2.png,b,\n"
    listing = read(text, file_column="Bild", label_column="Klasse", group_column="Patient")
    assert rows(listing) == [("1.png", "a", "p1"), ("2.png", "b", None)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("file;label\n1.png;a,b\n", "list.csv"),
        ("file\tlabel\n1.png\ta,b\n", "list.tsv"),
        ('\ufefffile,label\r\n1.png,"a,b"\r\n', "list.csv"),
    ],
    ids=["semicolons", "tabs", "byte order mark"],
)
def test_the_dialects_of_spreadsheets_are_read(read, text, name):
    assert rows(read(text, name)) == [("1.png", "a,b", None)]


def test_without_a_label_column_the_pictures_are_unlabelled_and_that_is_said(read):
    listing = read("file\n1.png\n")
    assert rows(listing) == [("1.png", None, None)]
    assert any("gives no labels" in notice for notice in listing.notices)


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_a_label_column_that_was_asked_for_must_be_there(read, name):
    text = "file,label\n1.png,a\n" if name.endswith("csv") else '{"file": "1.png", "label": "a"}\n'
    with pytest.raises(NotExpectedLabelColumnError, match="'species'"):
        read(text, name, label_column="species")


def test_a_file_column_that_is_not_there_is_named_with_those_that_are(read):
    with pytest.raises(InvalidDatasetError, match=r"no column 'file'. It has 'path', 'label'"):
        read("path,label\n1.png,a\n")
    with pytest.raises(InvalidDatasetError, match="no column 'patient'"):
        read("file,label\n1.png,a\n", group_column="patient")


BAD_ROWS = {
    "c15-row-without-a-file": (
        "1.png,a\nmissing.png,b\n",
        "line 3: there is no file 'missing.png'",
    ),
    "c15-empty-file-name": (",b\n", "line 2: the file name is empty"),
    "c15-repeated-row": ("1.png,a\n2.png,b\n1.png,b\n", "line 4: names the same file as line 2"),
    "c15-repeated-otherwise-spelt": (
        "1.png,a\n./1.png,a\n",
        "line 3: names the same file as line 2",
    ),
    "leads-up": ("../x.png,a\n", "line 2: '../x.png' leads up"),
    "leads-up-and-back": ("sub/../1.png,a\n", "leads up"),
    "absolute": ("/etc/passwd,a\n", "line 2: '/etc/passwd' lies outside"),
    "nul": ("1.png\0.jpg,a\n", "NUL"),
    "backslashes": ("sub\\5.png,a\n", "write '/' between folders"),
    "too-many-values": ("1.png,a,b\n", "line 2: has 3 values, but the header has 2"),
    "open-quote": ('"1.png,a\n', "line 2"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_c15_wrong_rows_are_named_by_their_line(read, name):
    text, told = BAD_ROWS[name]
    with pytest.raises(InvalidDatasetError) as refused:
        read("file,label\n" + text)
    assert told in refused.value.message
    assert refused.value.reason == "bad-rows"


def test_c15_all_wrong_rows_are_told_together(read):
    text = "file,label\n" + "".join(f"missing{number}.png,a\n" for number in range(8))
    with pytest.raises(InvalidDatasetError, match="has 8 wrong rows") as refused:
        read(text)
    assert len(refused.value.details["problems"]) == 8


def test_c15_rows_with_and_without_a_label_do_not_mix(read):
    with pytest.raises(InvalidDatasetError, match="label in line 2 but none in line 3, line 4"):
        read("file,label\n1.png,a\n2.png,\n3.png,\n")


def test_of_many_rows_without_a_label_three_are_named_and_all_counted(read, tree):
    tree.write({f"more/{number}.png": b"x" for number in range(9)})
    more = "".join(f"more/{number}.png,\n" for number in range(9))
    with pytest.raises(InvalidDatasetError, match="none in line 3, line 4, line 5 and 6 more"):
        read(f"file,label\n1.png,a\n{more}")


def test_c15_pictures_that_no_row_names_are_counted(read):
    listing = read("file,label\n1.png,a\n")
    assert any("3 pictures lie beside the listed ones" in notice for notice in listing.notices)


def test_an_absolute_path_inside_the_folder_is_accepted(read, tree):
    assert rows(read(f"file,label\n{tree.root}/1.png,a\n")) == [("1.png", "a", None)]


def test_file_names_may_start_from_another_folder(read, tree):
    listing = read("file,label\n5.png,a\n", folder="sub")
    assert listing.root == tree.root / "sub"
    with pytest.raises(CouldNotOpenFileError, match="no folder"):
        read("file,label\n5.png,a\n", folder="elsewhere")


def test_links_and_what_lies_behind_them_are_left_out_with_a_reason(read, tree):
    (tree.root / "link.png").symlink_to("1.png")
    (tree.root / "away").symlink_to("/tmp")
    (tree.root / "inside").symlink_to("sub")
    listing = read("file,label\n1.png,a\nlink.png,a\ninside/5.png,a\nsub,a\n")
    assert rows(listing) == [("1.png", "a", None)]
    reasons = {one.file: one.reason for one in listing.rejected}
    assert set(reasons) == {"link.png", "inside/5.png", "sub"}
    assert "link" in reasons["inside/5.png"]
    assert reasons["sub"] == "is a folder, not a file"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{not json", "line 1: is not JSON"),
        ("[1, 2]", "line 1: holds no JSON object"),
        ('{"file": ["1.png"]}', "line 1: 'file' is neither text nor a number"),
        ('{"file": "1.png", "label": true}', "line 1: 'label' is neither"),
        ('{"file": "1.png", "file": "2.png"}', "a key stands twice"),
        ("[" * 100_000, "line 1"),
    ],
)
def test_wrong_json_lines_are_named(read, line, told):
    with pytest.raises(InvalidDatasetError) as refused:
        read(line + "\n", "list.jsonl")
    assert told in refused.value.message


def test_a_manifest_that_is_not_utf_8_is_refused_with_the_line(read):
    with pytest.raises(InvalidDatasetError, match="line 3: is not UTF-8"):
        read(b"file,label\n1.png,a\n2.png,caf\xe9\n")


def test_a_line_of_megabytes_is_not_read(read):
    with pytest.raises(InvalidDatasetError, match="line 2: has more than 1,048,576 bytes"):
        read(b"file,label\n" + b"x" * 2_000_000)


@pytest.mark.parametrize("text", ["", "file,label\n"])
def test_c20_a_manifest_without_rows_is_refused(read, text):
    with pytest.raises(InvalidDatasetError, match=r"no column|names no pictures"):
        read(text)


def test_b06_a_blank_label_is_refused(read):
    with pytest.raises(InvalidDatasetError, match="cannot be the name of a class"):
        read("file,label\n1.png,  \n")


def test_b03_and_b04_twin_classes_of_a_manifest_are_refused(read):
    with pytest.raises(InvalidDatasetError, match="upper and lower case"):
        read("file,label\n1.png,Cat\n2.png,cat\n")
