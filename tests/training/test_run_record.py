import json

import pytest

from imageloom.errors import CannotResumeError
from imageloom.training.run.events import read_metrics
from imageloom.training.run.record import read_run_record


def written(folder, content):
    file = folder / "run.json"
    file.write_text(json.dumps(content))
    return file


def test_what_is_written_is_read_and_what_nothing_needs_may_be_of_any_kind(tmp_path):
    content = {"state": "completed", "processes": 2, "notices": 3, "metrics": {"top1": None}}
    assert read_run_record(written(tmp_path, content)).to_json() == content


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"state": "done"}, "state: input should be 'running', 'completed'"),
        ({"processes": True}, "processes: input should be a valid integer"),
        ({"processes": 0}, "processes: input should be greater than or equal to 1"),
        ({"seconds": -1}, "seconds: input should be greater"),
        ({"epochs_done": "3"}, "epochs_done: input should be a valid integer"),
        ({"metrics": {"top1": "high"}}, "metrics.top1: input should be a valid number"),
        ({"model": None}, "model: nothing stands there"),
        ({"resolved": {"image_size": 8}}, "resolved.steps_per_epoch: field required"),
        ({"data": {"training": []}}, "data.training: input should be an object"),
    ],
)
def test_a_value_of_another_kind_is_named(tmp_path, content, what):
    with pytest.raises(CannotResumeError, match=f"is not as Imageloom wrote it: {what}"):
        read_run_record(written(tmp_path, content))


def test_a_key_that_is_needed_and_not_there_is_named(tmp_path):
    record = read_run_record(written(tmp_path, {"state": "running"}))
    with pytest.raises(CannotResumeError, match=r"run.json is not .* it lacks the key 'asked'"):
        record.asked  # noqa: B018
    assert "asked" not in record.to_json()


@pytest.mark.parametrize("row", ["1", "{}", '{"name": "x", "value": "1", "epoch": 1, "step": 1}'])
def test_a_row_of_events_that_is_no_metric_is_named_by_its_line(tmp_path, row):
    good = '{"name": "Valid loss", "value": 1.5, "epoch": 1, "step": 3}'
    (tmp_path / "events.jsonl").write_text(f"{good}\n{row}\n")
    with pytest.raises(CannotResumeError, match=r"events.jsonl, line 2, holds no metric"):
        read_metrics(tmp_path / "events.jsonl")


def test_a_row_of_events_that_a_kill_cut_short_is_left_out(tmp_path):
    good = '{"name": "Valid loss", "value": 1.5, "epoch": 1, "step": 3}'
    (tmp_path / "events.jsonl").write_text(f"{good}\n{good[:20]}")
    assert [one.value for one in read_metrics(tmp_path / "events.jsonl")] == [1.5]
