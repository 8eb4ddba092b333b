import pytest

from imageloom.data.images.index import UNLABELLED
from imageloom.data.params import ConvertParams
from imageloom.data.sources.table.read import read_table
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    NotExpectedLabelColumnError,
)
from imageloom.events import Control

X = b"not decoded here"


@pytest.fixture
def read(tree, sealed):
    """Write a manifest beside pictures 1.png to 4.png and read it."""

    def run(text, name="list.csv", **params):
        content = text if isinstance(text, bytes) else text.encode()
        files = {f"{number}.png": X for number in range(1, 5)}
        root = tree.write(files | {"sub/5.png": X, name: content})
        with sealed():
            return read_table(root / name, ConvertParams(**params), control=Control())

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
        ("file\tlabel\n1.png\ta,b\n", "list.csv"),
        ("file|label\n1.png|a,b\n", "list.csv"),
        ("file|label\n1.png|a,b\n", "list.txt"),
        ('\ufefffile,label\r\n1.png,"a,b"\r\n', "list.csv"),
    ],
    ids=["semicolons", "tabs", "tabs in .csv", "bars", "bars in .txt", "byte order mark"],
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
    "backslashes": ("sub\\6.png,a\n", "line 2: there is no file 'sub\\\\6.png'"),
    "backslashes-that-lead-up": ("sub\\..\\1.png,a\n", "line 2: there is no file 'sub"),
    "backslash-first": ("\\sub\\5.png,a\n", "line 2: there is no file"),
    "repeated-in-capital-letters": ("1.png,a\n1.PNG,a\n", "line 3: names the same file as line 2"),
    "too-many-values": ("1.png,a,b\n", "line 2: has 3 values, but the header has 2"),
    "open-quote": ('"1.png,a\n', "line 2: a quote opens here and never closes"),
    "open-quote-among-rows": (
        '1.png,a\n"2.png,b\n3.png,c\n',
        "line 3: a quote opens here and never closes",
    ),
    "open-quote-before-a-quoted-value": (
        '1.png,"a\n2.png,b\n3.png,"c"\n',
        "line 2: a quote opens here and closes 2 lines below, with text right behind it",
    ),
    "open-quote-in-a-large-table": (
        '1.png,"a\n' + "2.png,b\n" * 30_000,
        "line 2: a quote opens here and never closes",
    ),
    "open-quote-that-closes-lines-below": (
        '1.png,a\n2.png,"a\n3.png,b"\n',
        r"line 3: has a label of several lines, 'a\n3.png,b'",
    ),
    "text-behind-a-quote": ('1.png,"a"b\n', "line 2: a quote closes with text right behind it"),
    "huge-value": ("1.png," + "a" * 140_000, "line 2: has a value of more than 131,072 characters"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_c15_wrong_rows_are_named_by_their_line(read, name):
    text, told = BAD_ROWS[name]
    with pytest.raises(InvalidDatasetError) as refused:
        read("file,label\n" + text)
    assert told in refused.value.message
    assert refused.value.reason == "bad-rows"


def test_c15_all_wrong_rows_are_told_together(read, tree):
    text = "file,label\n" + "".join(f"missing{number}.png,a\n" for number in range(1008))
    with pytest.raises(
        InvalidDatasetError, match=r"has 1,008 wrong rows.*; and 1,005 more\."
    ) as refused:
        read(text)
    assert len(refused.value.details["problems"]) == 100
    assert f"they start from {tree.root} (or use --folder)" in refused.value.hint


def test_one_wrong_row_is_told_in_the_singular_with_what_to_do(read):
    with pytest.raises(
        InvalidDatasetError, match=r"has 1 wrong row\. line 2: has 1 value, but"
    ) as refused:
        read("file,label\n1.png\n")
    assert refused.value.hint == "Correct these places in a text editor."


def test_rows_that_repeat_files_are_told_in_the_order_of_their_lines(read):
    repeated = "".join(f"{number}.png,a\n" for number in (3, 1, 4, 2))
    text = f"file,label\n1.png,a\n2.png,a\n3.png,a\n4.png,a\n{repeated}"
    with pytest.raises(InvalidDatasetError) as refused:
        read(text)
    assert refused.value.details["problems"] == [
        f"line {second}: names the same file as line {first}"
        for second, first in ((6, 4), (7, 2), (8, 5), (9, 3))
    ]


def test_many_rows_without_a_label_are_three_and_a_count(read, tree):
    tree.write({f"{number}.jpg": X for number in range(20)})
    text = "file,label\n1.png,a\n" + "".join(f"{number}.jpg,\n" for number in range(20))
    with pytest.raises(InvalidDatasetError, match="none in line 3, line 4, line 5 and 17 more"):
        read(text)


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
    assert any(
        "3 pictures lie beside the listed ones but in no row" in notice
        for notice in listing.notices
    )


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
        (
            "{not json",
            "line 1: is not JSON: expecting property name enclosed in double quotes in column 2.",
        ),
        ('{"file": "1.png', "line 1: is not JSON: unterminated string in column 10."),
        ("[1, 2]", "line 1: holds no JSON object"),
        ('{"file": ["1.png"]}', "line 1: 'file' is neither text nor a number"),
        ('{"file": "1.png", "label": true}', "line 1: 'label' is neither"),
        ('{"file": "1.png", "file": "2.png"}', "a key stands twice"),
        ("[" * 100_000, "line 1"),
        ('{"file": "\\ud800.png"}', "line 1: '\\ud800.png' can be no file's name"),
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
    with pytest.raises(InvalidDatasetError, match="line 2: has more than 1,048,576 characters"):
        read(b"file,label\n" + b"x" * 2_000_000)


ENDS = {"old Macs": "\r", "Windows": "\r\n", "Unix": "\n", "converted twice": "\r\r\n"}


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_lines_end_as_on_any_system(read, name, end):
    lines = ["file,label", "1.png,ant", "2.png,bee"]
    if name.endswith("jsonl"):
        lines = [
            f'{{"file": "{number}.png", "label": "{one}"}}' for number, one in enumerate("ab", 1)
        ]
    labels = ["ant", "bee"] if name.endswith("csv") else ["a", "b"]
    assert rows(read(end.join(lines), name)) == [
        ("1.png", labels[0], None),
        ("2.png", labels[1], None),
    ]


def test_the_ends_of_lines_may_be_mixed_and_all_count(read):
    text = "file,label\r1.png,a\n2.png,b\r\nmissing.png,a\n"
    with pytest.raises(InvalidDatasetError, match="line 4: there is no file 'missing"):
        read(text)


def test_rows_without_any_value_are_passed_over(read):
    text = "\n\nfile,label\n\n1.png,a\n,\n  ,  \nmissing.png,b\n"
    with pytest.raises(InvalidDatasetError, match="line 8: there is no file 'missing"):
        read(text)


def test_blanks_behind_delimiters_do_not_hide_quotes(read):
    assert rows(read('file, label\n1.png, "a, b"\n')) == [("1.png", "a, b", None)]


@pytest.mark.parametrize(
    ("content", "told", "advised"),
    [
        ("file,label\n".encode("utf-16"), "is text in UTF-16", "iconv -f UTF-16 -t UTF-8 list.csv"),
        ("\ufefffile\n".encode("utf-16-be"), "is text in UTF-16", "iconv -f UTF-16"),
        ("file,label\n".encode("utf-16-le"), "line 1: holds NUL", "iconv -f UTF-16"),
        (b"PK\x03\x04...", "is a workbook of a spreadsheet", "'CSV UTF-8'"),
        (b"file,label\r1.png,caf\xe9\r", "line 2: is not UTF-8", "iconv -f WINDOWS-1252"),
        (b"file\n1.png\n2.pn\xc3", "line 3: is not UTF-8", "iconv"),
        (b'"file,label\n1.png,a\n', "line 1: a quote opens here and never closes", "written twice"),
        (b"x" * 140_000, "line 1: has a value of more than 131,072 characters", "text editor"),
    ],
)
def test_what_is_no_table_in_utf_8_is_named_with_what_to_do(read, content, told, advised):
    with pytest.raises(InvalidDatasetError, match=told) as refused:
        read(content)
    assert advised in refused.value.hint


@pytest.mark.parametrize("text", ["", "file,label\n"])
def test_c20_a_manifest_without_rows_is_refused(read, text):
    with pytest.raises(InvalidDatasetError, match="names no pictures"):
        read(text)
    with pytest.raises(InvalidDatasetError, match="names no pictures"):
        read("", "list.jsonl")


def test_b06_a_blank_label_is_refused(read):
    with pytest.raises(InvalidDatasetError, match="cannot be the name of a class"):
        read("file,label\n1.png,  \n")


def test_b03_and_b04_twin_classes_of_a_manifest_are_refused(read):
    with pytest.raises(InvalidDatasetError, match="upper and lower case"):
        read("file,label\n1.png,Cat\n2.png,cat\n")


def test_white_space_around_a_header_does_not_count(read):
    assert rows(read("file, label\n1.png, ant\n")) == [("1.png", "ant", None)]
    assert rows(read('{"file ": "1.png", " label": "ant"}\n', "list.jsonl")) == [
        ("1.png", "ant", None)
    ]
    with pytest.raises(InvalidDatasetError, match="two columns of the same name: 'label'"):
        read("file,label,label \n1.png,ant,bee\n")


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_a_label_column_of_another_name_is_not_taken_for_none(read, name):
    text = "file,class\n1.png,a\n" if name.endswith("csv") else '{"file": "1.png", "class": "a"}\n'
    with pytest.raises(NotExpectedLabelColumnError, match=r"no (column|key) 'label'") as refused:
        read(text, name)
    assert "--label-column class" in refused.value.hint
    listing = read(text, name, labels="none")
    assert rows(listing) == [("1.png", None, None)]
    assert not any("gives no labels" in notice for notice in listing.notices)


def test_a_json_line_that_lacks_a_key_is_named(read):
    first = '{"file": "1.png", "label": "a"}\n'
    with pytest.raises(InvalidDatasetError, match="line 2: has no key 'file'"):
        read(first + '{"image": "2.png", "label": "a"}\n', "list.jsonl")
    with pytest.raises(InvalidDatasetError, match="label in line 1 but none in line 2"):
        read(first + '{"file": "2.png", "class": "a"}\n', "list.jsonl")
    with pytest.raises(InvalidDatasetError, match="label in line 2 but none in line 1"):
        read('{"file": "2.png"}\n' + first, "list.jsonl")
    with pytest.raises(InvalidDatasetError, match=r"no key 'camera'\. It has 'file', 'label'"):
        read(first, "list.jsonl", group_column="camera")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_labels_are_one_class_whatever_white_space_is_around_them(read, kind):
    labels = ["bees", " bees", "bees ", "\u00a0bees\u2003"]
    if kind == "csv":
        lines = ["file,label", *(f"{number}.png,{label}" for number, label in enumerate(labels, 1))]
    else:
        lines = [
            f'{{"file": "{number}.png", "label": "{label}"}}'
            for number, label in enumerate(labels, 1)
        ]
    listing = read("\n".join(lines), f"list.{kind}")
    assert listing.classes == ("bees",)
    assert len(listing) == 4
    assert any(
        f"White space around 3 values of list.{kind} was left out, as in ' bees'" in notice
        for notice in listing.notices
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_table_that_is_labelled_in_part_says_how_to_take_it_and_is_taken_so(read, kind):
    text = "file,label\n1.png,a\n2.png,\n"
    if kind == "jsonl":
        text = '{"file": "1.png", "label": "a"}\n{"file": "2.png"}\n'
    with pytest.raises(InvalidDatasetError, match="a label in line") as refused:
        read(text, f"list.{kind}")
    assert "--labels none" in refused.value.hint
    assert len(read(text, f"list.{kind}", labels="none")) == 2


def test_files_and_groups_lose_white_space_around_them_too(read):
    listing = read("label,file,g\nant, 1.png, p1\nant, 2.png,p1\n", group_column="g")
    assert rows(listing) == [("1.png", "ant", "p1"), ("2.png", "ant", "p1")]


def test_a_file_whose_name_ends_in_a_space_is_found_as_it_is(read, tree):
    tree.write({"odd.png ": X, " first.png": X})
    listing = read("file,label\nodd.png ,a\n first.png,a\n")
    assert [file for file, _, _ in rows(listing)] == ["odd.png ", " first.png"]
    assert not any("White space" in notice for notice in listing.notices)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (("sea lion", "sea  lion"), "'sea lion' and 'sea  lion' differ only in white space"),
        (("bees", "bees\u200b"), r"'bees' and 'bees\\u200b' differ only in white space or char"),
    ],
)
def test_labels_that_look_the_same_are_refused(read, labels, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read("file,label\n" + "".join(f"{n}.png,{one}\n" for n, one in enumerate(labels, 1)))


def test_labels_in_letters_of_two_scripts_bring_a_notice(read):
    listing = read("file,label\n1.png,cats\n2.png,c\u0430ts\n")
    assert len(listing.classes) == 2
    assert any("has CYRILLIC SMALL LETTER A" in notice for notice in listing.notices)


@pytest.mark.parametrize("first", ["sep=;", "SEP=;\r", '"sep=;"', "sep=;;;"])
def test_a_line_in_which_excel_is_told_the_separator_is_no_header(read, first):
    assert rows(read(f"{first}\nfile;label\n1.png;a,b,c,d\n")) == [("1.png", "a,b,c,d", None)]
    assert rows(read(f"\ufeff{first}\n1.png;a,b,c,d\n")) == [("1.png", "a,b,c,d", None)]
    with pytest.raises(InvalidDatasetError, match="line 4: there is no file"):
        read(f"{first}\nfile;label\n1.png;a\n9.png;b\n")


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_header_itself_says_what_separates_values(read, delimiter):
    text = f"image_path{delimiter}species{delimiter}camera\n1.png{delimiter}a{delimiter}c\n"
    with pytest.raises(InvalidDatasetError, match="It has 'image_path', 'species', 'camera'"):
        read(text)
    assert rows(read(text, file_column="image_path", label_column="species")) == [
        ("1.png", "a", None)
    ]


def test_a_list_without_a_header_has_the_file_first_and_the_label_second(read, tree):
    """As val_annotations.txt of Tiny ImageNet: file, class, and a box of four numbers."""
    tree.write({"val_0.JPEG": X, "val_1.JPEG": X})
    text = "val_0.JPEG\tn03444034\t0\t32\t44\t62\nval_1.JPEG\tn04067472\t52\t55\t57\t59\n"
    listing = read(text, "val_annotations.txt")
    assert rows(listing) == [("val_0.JPEG", "n03444034", None), ("val_1.JPEG", "n04067472", None)]
    assert listing.notices[0] == (
        "val_annotations.txt has no header: the first column was read as the file, the second as "
        "the label; 4 others were not read."
    )


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [
        *(("list.txt", delimiter) for delimiter in ",;\t| "),
        *(("list.csv", delimiter) for delimiter in ",;\t|"),
        ("list.tsv", "\t"),
    ],
)
def test_lists_without_a_header_may_separate_in_any_way(read, name, delimiter):
    listing = read(f"sub/5.png{delimiter}0\n1.png{delimiter}1\n", name)
    assert rows(listing) == [("sub/5.png", "0", None), ("1.png", "1", None)]


def test_a_list_of_files_alone_is_unlabelled(read):
    listing = read("1.png\nsub/5.png\n", "list.txt")
    assert rows(listing) == [("1.png", None, None), ("sub/5.png", None, None)]
    assert rows(read("1.png a\n", "list.txt", labels="none")) == [("1.png", None, None)]


def test_blanks_in_the_names_of_a_list_are_no_separators(read, tree):
    tree.write({"my photo.png": X, "b c/d.e f.JPG": X})
    listing = read("my photo.png 3\nb c/d.e f.JPG   4\n", "list.txt")
    assert rows(listing) == [("my photo.png", "3", None), ("b c/d.e f.JPG", "4", None)]
    assert rows(read("my photo.png\n", "list.txt")) == [("my photo.png", None, None)]


def test_a_first_file_without_an_ending_is_known_by_being_there(read, tree):
    tree.write({"IMG_1": X})
    assert rows(read("IMG_1,a\n")) == [("IMG_1", "a", None)]


def test_wrong_rows_of_a_list_are_told_from_its_first_line_on(read):
    with pytest.raises(InvalidDatasetError, match="line 1: there is no file 'missing"):
        read("missing.png a\n1.png b\n", "list.txt")
    with pytest.raises(InvalidDatasetError, match="line 2: has 3 values, but the first row has 2"):
        read("1.png a\n2.png b c\n", "list.txt")


def test_a_column_cannot_be_asked_for_without_a_header(read):
    with pytest.raises(InvalidDatasetError, match="no column 'species', for its first line names"):
        read("1.png,a\n", label_column="species")


def test_a_text_that_is_no_list_of_pictures_is_refused_with_what_is_needed(read):
    with pytest.raises(
        InvalidDatasetError, match=r"names neither columns, .* but 'Abyssinian_100'"
    ):
        read("Abyssinian_100 1 1 1\n", "list.txt")
    with pytest.raises(InvalidDatasetError, match="no column 'file'"):
        read("filename label\n1.png a\n", "list.txt")
    with pytest.raises(InvalidDatasetError, match="names no pictures"):
        read("\n", "list.txt", label_column="species")


def test_rows_that_lie_outside_lead_to_the_folder_that_holds_them_all(read, tree, tmp_path):
    photos = tmp_path / "my photos"
    for file in ("ants/1.png", "ants/old/2.png", "bees/3.png"):
        (photos / file).parent.mkdir(parents=True, exist_ok=True)
        (photos / file).write_bytes(X)
    files = [f"{photos}/ants/old/2.png", f"{photos}/ants/1.png", f"{photos}/bees/3.png"]
    text = "file,label\n" + "".join(f"{file},a\n" for file in files)
    with pytest.raises(InvalidDatasetError, match=r"has 3 wrong rows.*lies outside") as refused:
        read(text)
    assert f"Use --folder '{photos}', which holds" in refused.value.hint
    assert len(read(text, folder=str(photos))) == 3


def test_a_thousand_rows_outside_are_all_looked_at_for_the_folder(read, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    rows_ = "".join(f"{tmp_path}/a/b/{number}.png,x\n" for number in range(1000))
    with pytest.raises(InvalidDatasetError, match="has 1,001 wrong rows") as refused:
        read(f"file,label\n{rows_}{tmp_path}/a/c.png,x\n")
    assert f"Use --folder {tmp_path}/a, which holds" in refused.value.hint


def test_paths_of_another_machine_are_told_as_such(read, tree):
    with pytest.raises(InvalidDatasetError, match="lies outside") as refused:
        read("file,label\n/home/other/data/1.png,a\n")
    assert "no folder /home/other/data on this machine" in refused.value.hint
    with pytest.raises(InvalidDatasetError, match="lies outside") as refused:
        read("file,label\n/home/other/data/1.png,a\n1.png,b\n")
    assert refused.value.hint.startswith(f"Name all files from {tree.root}")


@pytest.mark.parametrize(
    ("file", "folder", "told"),
    [
        ("5.png", None, "Use --folder sub, where '5.png' lies."),
        ("1.png", "sub", "Use --folder ., where '1.png' lies."),
        ("source/1.png", None, "Use --folder .., where 'source/1.png' lies."),
        ("9.png", None, "Use --folder '../my photos', where '9.png' lies."),
    ],
)
def test_files_that_lie_in_a_folder_nearby_lead_to_it(read, tmp_path, file, folder, told):
    (tmp_path / "my photos").mkdir()
    (tmp_path / "my photos" / "9.png").write_bytes(X)
    with pytest.raises(InvalidDatasetError, match=f"no file '{file}'") as refused:
        read(f"file,label\n{file},a\n", folder=folder)
    assert refused.value.hint == told


NFC, NFD = "K\u00e4fer", "Ka\u0308fer"


@pytest.mark.parametrize(
    ("written", "lies"),
    [
        ("sub\\5.png", "sub/5.png"),
        (".\\SUB\\\\5.PNG", "sub/5.png"),
        ("1.PNG", "1.png"),
        (f"{NFC}/{NFC} 1.jpg", f"{NFD}/{NFD} 1.JPG"),
        (f"{NFD}\\{NFD} 2.jpg", f"{NFC.lower()}/{NFC} 2.jpg"),
    ],
)
def test_files_are_found_as_windows_and_macos_would_find_them(read, tree, written, lies):
    tree.write({lies: X})
    listing = read(f"file,label\n{written},a\n2.png,b\n")
    assert rows(listing) == [(lies, "a", None), ("2.png", "b", None)]
    assert any(
        f"1 file is spelt otherwise in list.csv than on this disk, as Windows and macOS allow: "
        f"{written!r} was taken for {lies!r}." == notice
        for notice in listing.notices
    )


def test_a_file_that_lies_there_as_it_is_written_is_taken_before_another_one(read, tree):
    tree.write({"sub\\5.png": X, "1.PNG": X, "SUB/6.png": X})
    listing = read("file,label\nsub\\5.png,a\n1.PNG,b\nSUB/6.png,a\n")
    assert [file for file, _, _ in rows(listing)] == ["sub\\5.png", "1.PNG", "SUB/6.png"]
    assert not any("spelt otherwise" in notice for notice in listing.notices)


def test_a_name_that_two_files_would_have_elsewhere_is_refused_with_both(read, tree):
    tree.write({"A.png": X, "a.PNG": X})
    with pytest.raises(InvalidDatasetError, match=r"'a\.png' may be 'A\.png' or 'a\.PNG' in"):
        read("file,label\na.png,a\n")


def test_files_of_other_spelling_behind_links_are_left_out_as_others_are(read, tree):
    (tree.root / "inside").symlink_to("sub")
    listing = read("file,label\n1.png,a\nINSIDE\\5.png,a\n")
    assert [one.file for one in listing.rejected] == ["inside/5.png"]


def test_paths_of_a_windows_machine_lead_to_the_part_that_is_too_much(read, tree):
    with pytest.raises(InvalidDatasetError, match="there is no file") as refused:
        read("file,label\nC:\\Users\\Anna\\sub\\5.png,a\n")
    assert refused.value.hint == (
        f"Take 'C:\\Users\\Anna\\' away from the names: then 'sub\\5.png' is found in {tree.root}."
    )


def test_names_without_their_endings_lead_to_the_whole_ones(read, tree):
    with pytest.raises(InvalidDatasetError, match="there is no file") as refused:
        read("file,label\nsub\\5,a\n")
    assert refused.value.hint == (
        f"Add their endings to the names: 'sub/5.png' lies in {tree.root}."
    )


PARTS = "file,label,split\n1.png,a,train\n2.png,b,train\n3.png,a,val\nsub/5.png,b,test\n"


def test_a_table_of_several_parts_is_not_joined_unasked(read):
    with pytest.raises(
        InvalidDatasetError, match="holds parts of a dataset: part 'train'"
    ) as refused:
        read(PARTS)
    assert "part 'train' (2 rows), part 'val' (1 row), part 'test' (1 row)" in refused.value.message
    assert "with --part train, and so on" in refused.value.hint
    assert refused.value.reason == "several-parts"


def test_the_part_that_was_asked_for_is_taken_and_the_others_are_told(read):
    listing = read(PARTS, part="train")
    assert rows(listing) == [("1.png", "a", None), ("2.png", "b", None)]
    assert listing.notices == (
        "2 rows of part 'train' taken from list.csv; not those of part 'val' (1 row), part 'test' "
        "(1 row).",
    )
    assert len(read(PARTS, part="all")) == 4
    assert rows(read(PARTS, part="VAL")) == [("3.png", "a", None)]


@pytest.mark.parametrize("column", ["split", "Set", "subset", "partition", "data_split", "Part"])
@pytest.mark.parametrize("names", [("train", "valid"), ("Training", "validation"), ("train", "")])
def test_parts_have_many_names(read, column, names):
    text = f"file,label,{column}\n1.png,a,{names[0]}\n2.png,b,{names[1]}\n"
    with pytest.raises(InvalidDatasetError, match="holds parts of a dataset"):
        read(text)
    assert len(read(text, part=names[0])) == 1


@pytest.mark.parametrize("text", ["file,label,split\n1.png,a,train\n2.png,b,train\n"])
def test_one_part_alone_leaves_no_choice(read, text):
    listing = read(text)
    assert len(listing) == 2
    assert len(read(text, part="train")) == 2


@pytest.mark.parametrize("values", [("1", "2"), ("north", "south"), ("train", "red")])
def test_a_column_of_that_name_with_other_values_tells_no_parts_apart(read, values):
    text = f"file,label,set\n1.png,a,{values[0]}\n2.png,b,{values[1]}\n"
    assert len(read(text)) == 2
    assert len(read(text, part=values[1])) == 1


def test_rows_of_other_parts_need_not_be_right(read):
    text = "file,label,split\n1.png,a,train\nmissing.png,,test\n"
    assert rows(read(text, part="train")) == [("1.png", "a", None)]


def test_parts_of_json_lines_are_told_apart_too(read):
    text = '{"file": "1.png", "label": "a", "split": "train"}\n'
    text += '{"file": "2.png", "label": "b", "split": "test"}\n'
    with pytest.raises(InvalidDatasetError, match="holds parts of a dataset"):
        read(text, "list.jsonl")
    assert rows(read(text, "list.jsonl", part="test")) == [("2.png", "b", None)]


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (PARTS, "list.csv", r"no row of part 'dev', but part 'train' \(2 rows\)"),
        ("file,label\n1.png,a\n", "list.csv", "no column 'split'. It has 'file', 'label'"),
        ('{"file": "1.png", "label": "a"}', "list.jsonl", "no key 'split'"),
        ("1.png,a\n", "list.csv", "no column 'split', for its first line names no columns"),
    ],
)
def test_a_part_that_is_not_there_is_an_error(read, text, name, told):
    with pytest.raises(InvalidDatasetError, match=told):
        read(text, name, part="dev")


def test_a_split_is_a_label_when_it_is_asked_for_as_one(read):
    text = "file,split\n1.png,train\n2.png,test\n"
    assert read(text, label_column="split").classes == ("test", "train")
    with pytest.raises(NotExpectedLabelColumnError, match="no column 'label'") as refused:
        read(text)
    assert "--label-column split" not in refused.value.hint
    assert rows(read(text, part="test")) == [("2.png", None, None)]
