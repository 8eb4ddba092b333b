"""Scored tables as directories come back whole or are refused."""

import pytest

from imageloom.errors import NotScoredDatasetError
from imageloom.files.publish import publishing_directory
from imageloom.scoring.tables.directory import SCORES, load_scores, save_scores

from .made_tables import assert_same_rows, make_table


def test_a_table_comes_back(tmp_path):
    table = make_table(rows=7, model_digest="abc")
    save_scores(table, tmp_path / "scores")
    found = load_scores(tmp_path / "scores")
    assert_same_rows(found, table)
    assert found.model_digest == "abc"


def test_a_directory_of_another_kind_is_refused(tmp_path):
    with publishing_directory(tmp_path / "other") as partial:
        (partial / "model.json").write_text("{}")
    with pytest.raises(NotScoredDatasetError, match=r"other holds no scores\.parquet"):
        load_scores(tmp_path / "other")


def test_a_damaged_table_is_refused(tmp_path):
    save_scores(make_table(), tmp_path / "scores")
    file = tmp_path / "scores" / SCORES
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(NotScoredDatasetError, match=r"scores\.parquet has .* bytes"):
        load_scores(tmp_path / "scores")


def test_a_table_without_rows_is_refused(tmp_path):
    save_scores(make_table(rows=0), tmp_path / "scores")
    with pytest.raises(NotScoredDatasetError, match="table without rows"):
        load_scores(tmp_path / "scores")
