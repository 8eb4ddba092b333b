"""Weights & Biases writes a file offline that its own reader reads; nothing leaves this machine."""

import json
import struct

import pytest

from imageloom.events import Control
from imageloom.tracking.beside import Followers

pytestmark = pytest.mark.slow


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_PROJECT", "flowers")
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    for name in ("WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))


BLOCK_BYTES = 32_768
FULL, LAST = 1, 4  # a record, or the end of one that goes over blocks


def contents(file):
    """Yield the records of a log of LevelDB, which a file of W&B is behind its first 7 bytes.

    Source: leveldb/doc/log_format.md.
    """
    content, position, begun = file.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while position + 7 <= len(content):
        if BLOCK_BYTES - position % BLOCK_BYTES < 7:
            position += BLOCK_BYTES - position % BLOCK_BYTES
            continue
        _, length, kind = struct.unpack_from("<IHB", content, position)
        position += 7 + length
        begun += content[position - length : position]
        if kind in (FULL, LAST):
            yield begun
            begun = b""


def records(file):
    """Yield what stands in a file of W&B, in order."""
    from wandb.proto import wandb_internal_pb2

    for content in contents(file):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        yield record


def history(files):
    """Return the rows that were logged, of several files."""
    return [
        {
            item.key or ".".join(item.nested_key): json.loads(item.value_json)
            for item in record.history.item
        }
        for file in files
        for record in records(file)
        if record.WhichOneof("record_type") == "history"
    ]


def caught_up(training):
    followers = Followers("imageloom track run")
    followers.start(["wandb"], training.tracked, Control(), tries_s=0)
    ((_, answer),) = followers.wait(Control(), most_s=120)
    assert answer.problem == ""


def test_a_training_lies_in_files_for_later_with_every_step_once(training, offline):
    training.record()
    training.steps(1, 5)
    caught_up(training)
    training.steps(5, 9)
    training.record("completed", metrics={"Overall_Accuracy": 0.75})
    training.publish()
    caught_up(training)
    files = sorted((training.path / "wandb").glob("offline-run-*/*.wandb"))
    rows = history(files)
    assert [row["step"] for row in rows if "step/Train loss" in row] == list(range(1, 9))
    assert [row["Valid loss"] for row in rows if "Valid loss" in row] == [10.0, 20.0]
    assert [row["Overall_Accuracy"] for row in rows if "Overall_Accuracy" in row] == [0.75]
    (first, *_) = [one.run for one in records(files[0]) if one.WhichOneof("record_type") == "run"]
    assert (first.project, first.display_name) == ("flowers", "run")
    config = {item.key: json.loads(item.value_json) for item in first.config.update}
    kinds = [one.WhichOneof("record_type") for file in files for one in records(file)]
    assert "stats" not in kinds  # of this machine nothing is told
    assert b"x" * 40 not in b"".join(file.read_bytes() for file in files)
    assert config.get("batch_size", 16) == 16
