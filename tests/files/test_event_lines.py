"""What a worker tells arrives once, in order, and whole."""

import json
import time
from types import SimpleNamespace

import pytest

from imageloom.errors import FailedToWriteOutputsError
from imageloom.events import Metric, Notice, Progress
from imageloom.files import event_lines
from imageloom.files.event_lines import EventTail, EventWriter

LOSS = Metric("Valid loss", 0.1 + 0.2, epoch=1.5, step=7)
ODD = Notice("warning", "pictures/\udce9t\u00e9.jpg has a name that is not UTF-8\nand two lines")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "nodes" / "train" / "events.jsonl"


@pytest.fixture
def write(path):
    writer = EventWriter(path)
    yield writer
    writer.close()


def test_events_come_back_equal_and_once(write, path):
    tail = EventTail(path)
    write(LOSS)
    write(ODD)
    assert tail.read() == [LOSS, ODD]
    assert tail.read() == []
    step = Progress("Training", 3, None, "steps", text="loss 0.31", time_left_s=12.5)
    write(step)
    assert tail.read() == [step]


def test_each_line_says_when(write, path):
    before = time.time()
    write(LOSS)
    row = json.loads(path.read_bytes())
    assert before <= row["time"] <= time.time()
    assert (row["kind"], row["value"]) == ("metric", 0.30000000000000004)


def test_a_file_that_is_not_there_yet_has_no_events(path):
    assert EventTail(path).read() == []


def test_progress_between_the_ends_of_a_stage_is_thinned(write, path, monkeypatch):
    now = 100.0
    clock = SimpleNamespace(monotonic=lambda: now, time=time.time)
    monkeypatch.setattr(event_lines, "time", clock)
    for done in range(11):
        write(Progress("Decoding", done, 10, "images"))
        now += 0.0625
    write(Progress("Writing", 0, 5, "files"))
    # 1/16 s apart: the first, every fourth (0.25 s later), the last, and a new stage's first.
    assert [(p.stage, p.done) for p in EventTail(path).read()] == [
        *(("Decoding", done) for done in (0, 4, 8, 10)),
        ("Writing", 0),
    ]


def test_j06_a_torn_line_is_passed_over_and_the_next_starts_a_new_one(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"kind": "metric", "na')
    writer = EventWriter(path)
    writer(LOSS)
    writer.close()
    assert EventTail(path).read() == [LOSS]


def test_a_line_without_its_end_waits_for_it(write, path):
    write(LOSS)
    whole = path.read_bytes()
    tail = EventTail(path)
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert tail.read() == []
    path.write_bytes(whole)
    assert tail.read() == [LOSS]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00 no text",
        b"[]",
        b'{"kind": "unheard of"}',
        b'{"kind": "metric", "name": "Loss", "value": "much", "epoch": 0, "step": 0}',
        b'{"kind": "notice", "level": "catastrophe", "message": ""}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_event_hides_no_other(write, path, line):
    path.write_bytes(line + b"\n")
    write(LOSS)
    assert EventTail(path).read() == [LOSS]


def test_a_tail_can_leave_out_what_earlier_executions_told(write, path):
    write(LOSS)
    tail = EventTail(path, start=path.stat().st_size)
    write(ODD)
    assert tail.read() == [ODD]


def test_more_than_one_read_is_needed_for_a_flood(write, path):
    notices = [Notice("info", f"{number:06d}" * 100) for number in range(3_000)]
    for notice in notices:
        write(notice)
    tail = EventTail(path)
    seen = []
    while some := tail.read():
        assert len(some) < 2_000
        seen += some
    assert seen == notices


def test_a_full_disk_is_a_named_error(tmp_path):
    full = tmp_path / "events.jsonl"
    full.symlink_to("/dev/full")
    writer = EventWriter(full)
    with pytest.raises(FailedToWriteOutputsError, match="No space left on device"):
        writer(LOSS)
    writer.close()


def test_events_are_for_the_eyes_of_one_user(tmp_path):
    EventWriter(tmp_path / "events.jsonl").close()
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o777 == 0o600
