"""What a tracker has is remembered, per place, and never with a password."""

import json

import pytest

from imageloom.errors import StoreCorruptError
from imageloom.tracking.position import (
    Position,
    position_file,
    read_position,
    remembered_trackers,
    write_position,
)


def test_a_tracker_that_was_asked_for_is_remembered_from_that_moment(tmp_path):
    assert remembered_trackers(tmp_path) == ()
    first = read_position(position_file(tmp_path, "mlflow"))
    assert read_position(position_file(tmp_path, "mlflow")) == first
    assert remembered_trackers(tmp_path) == ("mlflow",)


def test_another_place_has_nothing_but_knows_the_run_by_the_same_id(tmp_path):
    here = Position(id="a" * 32, place="http://one", last_steps={"x": 3}, has_parameters=True)
    assert here.at("http://one") == here
    assert here.at("http://two") == Position(id="a" * 32, place="http://two")


@pytest.mark.parametrize(
    "content", ["{", '{"format_version": 2, "id": "a"}', '{"id": "a", "last_steps": {"x": "y"}}']
)
def test_a_damaged_position_is_named(tmp_path, content):
    file = position_file(tmp_path, "mlflow")
    write_position(file, Position.first())
    file.write_text(content)
    with pytest.raises(StoreCorruptError, match=r"mlflow\.json"):
        read_position(file)


def test_a_position_is_read_as_it_was_written(tmp_path):
    file = position_file(tmp_path, "toy")
    position = Position(id="b", memory={"bytes": 7}, files={"model": "c"}, state="completed")
    write_position(file, position)
    assert read_position(file) == position
    assert json.loads(file.read_text())["memory"] == {"bytes": 7}
