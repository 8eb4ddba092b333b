import csv
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToWriteOutputsError,
    NotExpectedLabelColumnError,
    NotScoredDatasetError,
    ParameterParsingError,
)
from imageloom.scoring.tables import scored_table
from imageloom.scoring.tables.csv import guarded, unguarded
from imageloom.scoring.tables.file import ScoredTable, check_place, read_table, write_table

from .made_tables import assert_same_rows, make_table

ODD_CLASSES = (
    "007",
    "NA",
    "1e5",
    "null",
    "True",
    "a.b",
    'say "hi", twice',
    "two\nlines",
    "=1+1",
    "@x",
    "'=quoted",
    "ants 🐜",
    "café",
    "</script>",
    "comma, semicolon;",
    " padded ",
)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".CSV"])
def test_a_table_read_back_is_the_same_to_the_last_bit(tmp_path, suffix):
    table = make_table(rows=20_000)  # several parts
    write_table(table, tmp_path / f"scores{suffix}")
    assert_same_rows(read_table(tmp_path / f"scores{suffix}"), table)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_b06_odd_class_names_and_files_stay_text(tmp_path, suffix):
    files = ["=cmd|' /C calc'!A0", "-1.jpg", "+1", "@a", "\ttab", "007", "1e5.png", 'q"x,y\nz']
    labels = [None, *ODD_CLASSES[:7]]
    table = make_table(ODD_CLASSES, files=files, labels=labels)
    write_table(table, tmp_path / f"scores{suffix}")
    assert_same_rows(read_table(tmp_path / f"scores{suffix}"), table)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(arrays.arrays(np.float32, 6, elements=st.floats(0, 1, width=32)))
def test_csv_has_enough_digits_for_every_float32(tmp_path, values):
    probabilities = np.stack([values, 1 - values], axis=1)
    table = ScoredTable(
        files=pa.array(list("abcdef")),
        labels_N=np.full(6, -1, np.int32),
        classes=("x", "y"),
        predicted_N=probabilities.argmax(axis=1).astype(np.int32),
        probabilities_NK=probabilities,
    )
    write_table(table, tmp_path / "scores.csv")
    assert_same_rows(read_table(tmp_path / "scores.csv"), table)


def test_parquet_tells_class_list_root_and_model(tmp_path):
    lost = {"is empty": 2, "is an HTML page": 1}
    table = make_table(
        ("b", "a"), root=tmp_path / "pictures", model_digest="ab" * 32, left_out=lost
    )
    write_table(table, tmp_path / "scores.parquet")
    found = read_table(tmp_path / "scores.parquet")
    assert found.left_out == lost
    assert (found.root, found.model_digest) == (tmp_path / "pictures", "ab" * 32)
    assert found.classes == ("b", "a")


@pytest.mark.parametrize("told", [3, ["x"], {"is empty": "2"}, {"is empty": True}])
def test_a_count_of_left_out_files_that_is_none_is_refused(tmp_path, told):
    write_table(make_table(left_out={}), tmp_path / "scores.parquet")
    table = pq.read_table(tmp_path / "scores.parquet")
    record = json.loads(table.schema.metadata[b"imageloom"]) | {"left_out": told}
    damaged = table.replace_schema_metadata({b"imageloom": json.dumps(record)})
    pq.write_table(damaged, tmp_path / "scores.parquet")
    with pytest.raises(NotScoredDatasetError, match=r"left out as .*, not as numbers"):
        read_table(tmp_path / "scores.parquet")


def test_columns_have_the_names_users_know(tmp_path):
    write_table(make_table(("ant", "bee")), tmp_path / "scores.parquet")
    assert pq.read_schema(tmp_path / "scores.parquet").names == [
        "file",
        "label",
        "Scored Labels",
        "Scored Probabilities_ant",
        "Scored Probabilities_bee",
    ]


def test_s24_no_csv_cell_starts_like_a_formula(tmp_path):
    starts = ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1"]  # noqa: RUF001
    table = make_table(tuple(f"{start}{n}" for n, start in enumerate(starts)), files=starts)
    write_table(table, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r\n＝" and cell]  # noqa: RUF001
    assert_same_rows(read_table(tmp_path / "scores.csv"), table)


@settings(max_examples=200)
@given(st.text("'=+-@a\t\r\n", max_size=6))
def test_guarding_against_formulas_is_undone_exactly(text):
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in set("=+-@\t\r\n")


def test_text_that_is_no_formula_is_written_as_it_is():
    assert guarded("'tis") == "'tis"
    assert unguarded("'tis") == "'tis"


def test_csv_is_rfc_4180(tmp_path):
    write_table(make_table(files=['a,"b".jpg'], labels=[None]), tmp_path / "scores.csv")
    lines = (tmp_path / "scores.csv").read_bytes().split(b"\r\n")
    assert lines[1].startswith(b'"a,""b"".jpg",,')
    assert lines[-1] == b""


@pytest.mark.parametrize(("delimiter", "decimal"), [(";", ","), ("\t", ","), (";", ".")])
def test_csv_saved_by_a_spreadsheet_of_another_language_is_the_same_table(
    tmp_path, delimiter, decimal
):
    table = make_table(("a;b", "c,d"), files=["1.jpg", "2;x.jpg", "3,x.jpg"])
    write_table(table, tmp_path / "ours.csv")
    with (tmp_path / "ours.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    with (tmp_path / "theirs.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(head)
        for row in rows:
            writer.writerow([*row[:3], *(cell.replace(".", decimal) for cell in row[3:])])
    assert_same_rows(read_table(tmp_path / "theirs.csv"), table)


def test_csv_saved_by_excel_with_a_byte_order_mark_is_read(tmp_path):
    write_table(make_table(), tmp_path / "scores.csv")
    content = (tmp_path / "scores.csv").read_bytes()
    (tmp_path / "excel.csv").write_bytes(b"\xef\xbb\xbf" + content)
    assert_same_rows(read_table(tmp_path / "excel.csv"), make_table())


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_an_empty_table_is_read_back(tmp_path, suffix):
    write_table(make_table(rows=0), tmp_path / f"scores{suffix}")
    found = read_table(tmp_path / f"scores{suffix}")
    assert len(found) == 0
    assert found.probabilities_NK.shape == (0, 2)


def test_another_suffix_is_refused_by_name(tmp_path):
    with pytest.raises(
        ParameterParsingError, match=r"'\.xlsx', but must end in \.parquet or \.csv"
    ):
        write_table(make_table(), tmp_path / "scores.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"no score table .*gone\.csv"):
        read_table(tmp_path / "gone.csv")


def test_a_failed_write_leaves_the_old_table(tmp_path):
    write_table(make_table(), tmp_path / "scores.csv")
    broken = make_table(rows=9)
    broken = ScoredTable(**{**vars(broken), "labels_N": np.zeros(1, np.int32)})
    with pytest.raises(ValueError, match="expected length 9 but got length 1"):
        write_table(broken, tmp_path / "scores.csv")
    assert_same_rows(read_table(tmp_path / "scores.csv"), make_table())
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_a_scored_table_may_be_replaced(tmp_path):
    write_table(make_table(), tmp_path / "scores.csv")
    check_place(tmp_path / "scores.csv")
    check_place(tmp_path / "new.csv")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_that_is_no_scored_table_is_never_replaced(tmp_path, suffix):
    path = tmp_path / f"labels{suffix}"
    path.write_text("file,label\na.jpg,ant\n")
    with pytest.raises(FailedToWriteOutputsError, match="exists already and is no scored table"):
        check_place(path)
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        check_place(tmp_path / f"folder{suffix}")


def test_large_tables_lie_in_a_file_that_goes_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr(scored_table, "_MOST_BYTES_IN_MEMORY", 100)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    room = scored_table.room_for_probabilities(30, 4)
    assert isinstance(room, np.memmap)
    assert not room.any()
    room[29] = 1
    assert room.sum() == 4
    assert list(tmp_path.iterdir()) == []


# Tables of strangers


def _strangers(tmp_path, suffix, **columns):
    content = {
        "file": ["a.jpg", "b.jpg"],
        "label": ["x", "y"],
        "Scored Labels": ["x", "y"],
        "Scored Probabilities_x": [0.75, 0.25],
        "Scored Probabilities_y": [0.25, 0.75],
    }
    for name, values in columns.items():
        full = {"p_x": "Scored Probabilities_x", "scored": "Scored Labels"}.get(name, name)
        content[full] = values
    content = {name: values for name, values in content.items() if values is not None}
    path = tmp_path / f"scores{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table(content), path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(content)
        writer.writerows(zip(*content.values(), strict=True))
    return path


both = pytest.mark.parametrize("suffix", [".parquet", ".csv"])


@both
def test_a_table_without_metadata_takes_its_classes_from_the_columns(tmp_path, suffix):
    found = read_table(_strangers(tmp_path, suffix, extra=[1, 2]))
    assert found.classes == ("x", "y")
    assert found.root is None
    assert found.labels == ("x", "y")


@both
def test_a_table_without_labels_is_fine_until_labels_are_needed(tmp_path, suffix):
    found = read_table(_strangers(tmp_path, suffix, label=None))
    assert found.labels_N.tolist() == [-1, -1]
    assert found.labels is None
    assert found.accuracy is None
    with pytest.raises(NotExpectedLabelColumnError, match="None of the 2 scored pictures"):
        found.require_labels()


@both
@pytest.mark.parametrize(("name", "shown"), [("file", "'file'"), ("scored", "'Scored Labels'")])
def test_a_missing_column_is_named(tmp_path, suffix, name, shown):
    with pytest.raises(NotScoredDatasetError, match=f"lacks {shown}"):
        read_table(_strangers(tmp_path, suffix, **{name: None}))


def test_a_table_without_probabilities_is_not_scored(tmp_path):
    pq.write_table(pa.table({"file": ["a"], "Scored Labels": ["x"]}), tmp_path / "t.parquet")
    with pytest.raises(NotScoredDatasetError, match="lacks 'Scored Probabilities_<class>'"):
        read_table(tmp_path / "t.parquet")


@both
@pytest.mark.parametrize("value", [1.5, -0.25, math.nan, math.inf])
def test_a_number_that_is_no_probability_is_named_by_row_and_column(tmp_path, suffix, value):
    path = _strangers(tmp_path, suffix, p_x=[0.75, value])
    with pytest.raises(
        NotScoredDatasetError,
        match=r"Row 2 of .*scores\.\w+, column 'Scored Probabilities_x' holds",
    ):
        read_table(path)


@both
def test_a_row_that_does_not_add_up_to_one_is_named(tmp_path, suffix):
    with pytest.raises(NotScoredDatasetError, match=r"Row 1 of .* add up to 0\.7500"):
        read_table(_strangers(tmp_path, suffix, p_x=[0.5, 0.25]))


@both
def test_rounded_probabilities_of_others_are_accepted(tmp_path, suffix):
    found = read_table(_strangers(tmp_path, suffix, p_x=[0.754, 0.254]))
    assert found.probabilities_NK[0, 0] == np.float32(0.754)


@both
def test_a_label_outside_the_scored_classes_is_named_by_row(tmp_path, suffix):
    with pytest.raises(
        NotExpectedLabelColumnError, match=r"Row 2 of .*scores\.\w+, column 'label' holds 'wasp'"
    ):
        read_table(_strangers(tmp_path, suffix, label=["x", "wasp"]))


@both
def test_a_scored_label_without_a_column_is_named_by_row(tmp_path, suffix):
    with pytest.raises(
        NotScoredDatasetError, match=r"Row 2 of .*scores\.\w+, column 'Scored Labels' holds 'wasp'"
    ):
        read_table(_strangers(tmp_path, suffix, scored=["x", "wasp"]))


@both
def test_a_scored_label_that_is_not_the_most_probable_class_is_refused(tmp_path, suffix):
    with pytest.raises(NotScoredDatasetError, match=r"Row 1.*'y' with probability 0\.2500"):
        read_table(_strangers(tmp_path, suffix, scored=["y", "y"]))


@both
def test_equal_probabilities_keep_the_class_the_table_names(tmp_path, suffix):
    halves = {"p_x": [0.5, 0.5], "Scored Probabilities_y": [0.5, 0.5]}
    found = read_table(_strangers(tmp_path, suffix, scored=["x", "y"], **halves))
    assert found.predicted_N.tolist() == [0, 1]


def test_labels_that_became_numbers_are_refused(tmp_path):
    with pytest.raises(NotExpectedLabelColumnError, match=r"int64.*007 is not 7"):
        read_table(_strangers(tmp_path, ".parquet", label=[7, 8]))


def test_text_where_a_number_should_be_is_named_by_row_and_column(tmp_path):
    path = _strangers(tmp_path, ".csv", p_x=[0.75, "0,25"])
    with pytest.raises(
        NotScoredDatasetError,
        match=r"Row 2 of .*scores\.\w+, column 'Scored Probabilities_x'.*0,25",
    ):
        read_table(path)


@both
def test_an_empty_cell_is_named_by_row_and_column(tmp_path, suffix):
    with pytest.raises(
        NotScoredDatasetError, match=r"Row 2 of .*scores\.\w+, column 'file' holds nothing"
    ):
        read_table(_strangers(tmp_path, suffix, file=["a", None]))
    with pytest.raises(
        NotScoredDatasetError, match=r"Row 1 of .*scores\.\w+, column 'Scored Probabilities_x'.*nan"
    ):
        read_table(_strangers(tmp_path, suffix, p_x=[None, 0.25]))


def test_dictionary_and_large_text_of_other_programs_are_read(tmp_path):
    path = _strangers(tmp_path, ".parquet")
    table = pq.read_table(path)
    table = table.set_column(1, "label", table["label"].dictionary_encode())
    table = table.set_column(0, "file", table["file"].cast(pa.large_string()))
    table = table.set_column(3, "Scored Probabilities_x", table[3].cast(pa.float32()))
    pq.write_table(table, path)
    assert read_table(path).labels == ("x", "y")


def test_a_column_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text(
        "file,Scored Labels,Scored Probabilities_x,Scored Probabilities_x\r\na,x,1,0\r\n"
    )
    with pytest.raises(NotScoredDatasetError, match="'Scored Probabilities_x' 2 times"):
        read_table(tmp_path / "t.csv")


def test_a_row_with_too_few_cells_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("file,Scored Labels,Scored Probabilities_x\na,x,1\nb,x\n")
    with pytest.raises(
        NotScoredDatasetError, match=r"Row 2 of .*t\.csv has 2 cells, but the header has 3"
    ):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'file,"open', b"PAR1 but not"])
@both
def test_a_file_of_something_else_is_refused(tmp_path, suffix, content):
    (tmp_path / f"t{suffix}").write_bytes(content)
    with pytest.raises(NotScoredDatasetError):
        read_table(tmp_path / f"t{suffix}")


def test_a_parquet_file_cut_short_is_refused(tmp_path):
    write_table(make_table(), tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(NotScoredDatasetError, match="cannot be read as Parquet"):
        read_table(tmp_path / "t.parquet")


def test_columns_in_another_order_than_the_metadata_are_refused(tmp_path):
    write_table(make_table(), tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    pq.write_table(table.select([0, 1, 2, 4, 3]), tmp_path / "t.parquet")
    with pytest.raises(NotScoredDatasetError, match="not those of the class list"):
        read_table(tmp_path / "t.parquet")


def test_a_table_of_a_newer_format_is_refused(tmp_path):
    write_table(make_table(), tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    metadata = {b"imageloom": b'{"format_version": 9, "made_by": "imageloom 7"}'}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "t.parquet")
    with pytest.raises(NotScoredDatasetError, match=r"format version 9.*up to 2.*imageloom 7"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize("metadata", [b"[1]", b"{", b"[" * 100_000])
def test_damaged_metadata_are_refused(tmp_path, metadata):
    write_table(make_table(), tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    pq.write_table(table.replace_schema_metadata({b"imageloom": metadata}), tmp_path / "t.parquet")
    with pytest.raises(NotScoredDatasetError):
        read_table(tmp_path / "t.parquet")
