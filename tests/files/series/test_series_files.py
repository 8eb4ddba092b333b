"""Curves in files: what is written is read, torn ends and cuts leave every step once."""

import csv
import json
import math
import os
import struct
import subprocess
import sys
from types import SimpleNamespace

import pytest

from imageloom.errors import CannotResumeError, FailedToWriteOutputsError, StoreCorruptError
from imageloom.files.series import writer as writer_module
from imageloom.files.series.names import SeriesName
from imageloom.files.series.read import (
    StoredSeries,
    csv_lines,
    list_series,
    read_series,
    rows_behind,
)
from imageloom.files.series.rows import Extent
from imageloom.files.series.writer import SeriesWriter, cut_series, levels_file

LOSS = SeriesName("Train loss", "nats", "step")
RATE = SeriesName("learning rate", "", "step")
VALID = SeriesName("Valid loss", "nats", "epoch")
NAMES = (LOSS, RATE, VALID)


def writing(folder, *, rank=0, names=NAMES):
    return SeriesWriter(folder, names, rank=rank, error=CannotResumeError)


def write_steps(folder, first, last, **more):
    """Write a row for each step, four steps to an epoch."""
    with writing(folder, **more) as writer:
        for step in range(first, last):
            writer.append({LOSS: 1 / step, RATE: 0.5}, step=step, epoch=step / 4)
            if step % 4 == 0:
                writer.append({VALID: step * 10.0}, step=step, epoch=step // 4)


def curve(folder, name=LOSS, rank=0) -> StoredSeries:
    (found,) = [
        one
        for one in list_series(folder)
        if (one.name, one.kind, one.rank) == (name.name, name.kind, rank)
    ]
    return found


def steps_of(folder, name=LOSS, rank=0):
    one = curve(folder, name, rank)
    return [row.step for row in read_series(one.path, 0, one.num_rows)]


def cut(folder, step, epochs, rank=0):
    cut_series(folder, rank=rank, step=step, epochs=epochs, error=CannotResumeError)


def test_rows_are_32_bytes_little_endian_as_documented(tmp_path, monkeypatch):
    clock = SimpleNamespace(time=lambda: 1767225600.25, monotonic=lambda: 0.0)
    monkeypatch.setattr(writer_module, "time", clock)
    with writing(tmp_path) as writer:
        writer.append({LOSS: -0.1}, step=-(2**63), epoch=1.5)
    content = (tmp_path / "rank-0" / "step-train-loss.rows").read_bytes()
    assert content == struct.pack("<qddd", -(2**63), 1.5, 1767225600.25, -0.1)


def test_names_say_what_there_is(tmp_path):
    write_steps(tmp_path, 1, 3)
    assert json.loads((tmp_path / "rank-0" / "names.json").read_text()) == {
        "format_version": 1,
        "generation": 0,
        "series": [
            {
                "name": one.name,
                "unit": one.unit,
                "kind": one.kind,
                "rank": 0,
                "file": file,
            }
            for one, file in zip(
                NAMES,
                ("step-train-loss.rows", "step-learning-rate.rows", "epoch-valid-loss.rows"),
                strict=True,
            )
        ],
    }


def test_what_is_appended_is_read_with_every_bit(tmp_path):
    values = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
    with writing(tmp_path) as writer:
        for step, value in enumerate(values, start=1):
            writer.append({LOSS: value}, step=step, epoch=step / 3)
    one = curve(tmp_path)
    assert (one.unit, one.num_rows, one.generation) == ("nats", 7, 0)
    rows = read_series(one.path, 0, 7)
    assert [struct.pack("d", row.value) for row in rows] == [struct.pack("d", v) for v in values]
    assert [(row.step, row.epoch) for row in rows] == [(step, step / 3) for step in range(1, 8)]
    assert [row.step for row in read_series(one.path, 2, 4)] == [3, 4]
    assert read_series(one.path, 7, 100) == []
    assert [row.step for row in read_series(one.path, -93, 2)] == [1, 2]
    assert [row.step for row in read_series(one.path, 5, 2**60)] == [6, 7]
    assert read_series(one.path, 5, 2) == read_series(one.path, -9, -2) == []


def test_a_declared_curve_without_rows_is_there_and_empty(tmp_path):
    write_steps(tmp_path, 1, 3)
    one = curve(tmp_path, VALID)
    assert (one.num_rows, read_series(one.path, 0, 5)) == (0, [])


def test_there_are_no_curves_where_there_is_no_folder(tmp_path):
    assert list_series(tmp_path / "series") == []


def test_each_rank_has_files_of_its_own(tmp_path):
    for rank in (10, 2):
        write_steps(tmp_path, 1, rank, rank=rank, names=(LOSS, RATE, VALID))
    assert [one.rank for one in list_series(tmp_path)] == [2, 2, 2, 10, 10, 10]
    assert steps_of(tmp_path, rank=10) == list(range(1, 10))


def test_rows_are_there_before_the_writer_is_closed_about_twice_a_second(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(
        writer_module, "time", SimpleNamespace(monotonic=lambda: now, time=lambda: now)
    )
    writer = writing(tmp_path)
    seen = []
    for step in range(1, 7):
        writer.append({LOSS: 0.5}, step=step, epoch=0)
        seen.append(curve(tmp_path).num_rows)
        now += 0.25
    assert seen == [1, 1, 3, 3, 5, 5]
    writer.flush()
    assert curve(tmp_path).num_rows == 6


@pytest.mark.parametrize("torn", range(32))
def test_a_torn_row_is_not_read_and_is_cut_when_the_writer_goes_on(tmp_path, torn):
    write_steps(tmp_path, 1, 6)
    path = curve(tmp_path).path
    with path.open("ab") as file:
        file.write(b"\xff" * torn)
    assert steps_of(tmp_path) == [1, 2, 3, 4, 5]
    write_steps(tmp_path, 6, 8)
    assert steps_of(tmp_path) == [1, 2, 3, 4, 5, 6, 7]
    assert path.stat().st_size == 7 * 32


def test_a_resume_keeps_the_rows_that_the_checkpoint_knows(tmp_path):
    write_steps(tmp_path, 1, 12)
    cut(tmp_path, step=6, epochs=1)
    assert steps_of(tmp_path) == steps_of(tmp_path, RATE) == [1, 2, 3, 4, 5, 6]
    assert steps_of(tmp_path, VALID) == [4]
    write_steps(tmp_path, 7, 10)
    assert steps_of(tmp_path) == list(range(1, 10))


def test_a_checkpoint_between_the_last_step_and_validation_drops_the_epochs_row(tmp_path):
    write_steps(tmp_path, 1, 9)
    cut(tmp_path, step=8, epochs=1)  # at step 8, but the second epoch was not validated
    assert steps_of(tmp_path)[-1] == 8
    assert steps_of(tmp_path, VALID) == [4]


def test_readers_can_tell_a_cut_although_as_many_rows_are_there_again(tmp_path):
    write_steps(tmp_path, 1, 12)
    before = curve(tmp_path)
    cut(tmp_path, step=6, epochs=1)
    write_steps(tmp_path, 7, 12)
    after = curve(tmp_path)
    assert after.num_rows == before.num_rows
    assert after.generation != before.generation


def test_who_reads_in_the_middle_of_a_cut_can_tell_it_afterwards(tmp_path, monkeypatch):
    write_steps(tmp_path, 1, 12)
    seen, real = [curve(tmp_path)], os.truncate

    def truncate(*arguments):
        seen.append(curve(tmp_path))
        real(*arguments)
        seen.append(curve(tmp_path))

    monkeypatch.setattr(os, "truncate", truncate)
    cut(tmp_path, step=6, epochs=1)
    assert len(seen) == 7
    assert {one.generation for one in seen}.isdisjoint({curve(tmp_path).generation})
    assert {one.generation for one in seen[1:]}.isdisjoint({seen[0].generation})


def test_a_resume_that_loses_nothing_changes_no_generation(tmp_path):
    write_steps(tmp_path, 1, 9)
    cut(tmp_path, step=8, epochs=2)
    assert curve(tmp_path).generation == 0
    cut(tmp_path / "nowhere", step=8, epochs=2)
    assert not (tmp_path / "nowhere").exists()


def test_zeros_that_a_loss_of_power_left_are_cut(tmp_path):
    write_steps(tmp_path, 1, 6)
    with curve(tmp_path).path.open("ab") as file:
        file.write(bytes(64))
    cut(tmp_path, step=5, epochs=1)
    assert steps_of(tmp_path) == [1, 2, 3, 4, 5]


def test_a_curve_that_is_no_longer_written_stays(tmp_path):
    write_steps(tmp_path, 1, 3)
    with writing(tmp_path, names=(LOSS,)) as writer:
        writer.append({LOSS: 1.0}, step=3, epoch=1)
    assert steps_of(tmp_path, RATE) == [1, 2]
    assert steps_of(tmp_path) == [1, 2, 3]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from imageloom.errors import CannotResumeError, FailedToWriteOutputsError
from imageloom.files.series.names import SeriesName
from imageloom.files.series.writer import SeriesWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
loss = SeriesName("Train loss", "nats", "step")
writer = SeriesWriter(Path(sys.argv[1]), [loss], rank=0, error=CannotResumeError)
full = (1000, resource.RLIM_INFINITY)  # in the middle of row 32
resource.setrlimit(resource.RLIMIT_FSIZE, full)
for step in range(1, 101):
    writer.append({loss: float(step)}, step=step, epoch=0)
try:
    writer.flush()
except FailedToWriteOutputsError as problem:
    print(problem)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if sys.argv[2] == "goes on":
    writer.flush()
"""


@pytest.mark.parametrize("then", ["goes on", "ends"])
def test_a_full_disk_is_a_named_error_and_every_row_stays_whole(tmp_path, then):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), then], capture_output=True, text=True
    )
    assert done.stderr == ""
    assert "step-train-loss.rows could not be written: File too large" in done.stdout
    assert "what is finished is kept" in done.stdout
    if then == "ends":
        assert steps_of(tmp_path) == list(range(1, 32))
        with writing(tmp_path, names=(LOSS,)) as writer:
            writer.append({LOSS: 0.0}, step=32, epoch=0)
        assert steps_of(tmp_path) == list(range(1, 33))
    else:
        assert steps_of(tmp_path) == list(range(1, 101))


def test_an_error_of_the_work_is_not_hidden_by_a_full_disk(tmp_path):
    writer = writing(tmp_path)
    (tmp_path / "rank-0" / LOSS.file).symlink_to("/dev/full")
    with pytest.raises(FailedToWriteOutputsError, match="No space left on device"):
        writer.append({LOSS: 1.0}, step=1, epoch=0)
    with pytest.raises(KeyError, match="of the work"), writer:
        raise KeyError("of the work")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[]", "holds no JSON object"),
        ('{"format_version": 2}', "format_version"),
        ('{"generation": -1}', "generation"),
        (
            '{"series": [{"name": "a", "unit": "", "kind": "step", "rank": 0, "file": "../a"}]}',
            "no name of a file of rows",
        ),
    ],
)
def test_names_that_were_changed_are_a_named_error(tmp_path, content, what):
    write_steps(tmp_path, 1, 3)
    (tmp_path / "rank-0" / "names.json").write_text(content)
    with pytest.raises(StoreCorruptError, match=what):
        list_series(tmp_path)
    with pytest.raises(CannotResumeError, match=what):
        cut(tmp_path, step=1, epochs=0)
    with pytest.raises(CannotResumeError, match=what):
        writing(tmp_path)


def test_a_link_in_the_place_of_rows_is_not_followed(tmp_path):
    write_steps(tmp_path, 1, 3)
    path = curve(tmp_path).path
    (tmp_path / "secret").write_bytes(bytes(320))
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(StoreCorruptError, match="is not a plain file"):
        read_series(path, 0, 10)


@pytest.mark.parametrize("start", [0, 255, 256, 257, 600])
def test_levels_are_those_of_whole_blocks_however_often_the_writer_was_started(tmp_path, start):
    if start:
        write_steps(tmp_path, 1, start + 1)
    write_steps(tmp_path, start + 1, 1025)
    content = levels_file(curve(tmp_path).path).read_bytes()
    found = [Extent(*row) for row in struct.iter_unpack("<ddqq", content)]
    # 1/step falls: the first of a block is its highest.
    assert found == [
        Extent(1 / (256 * number + 256), 1 / (256 * number + 1), 0, 0) for number in range(4)
    ]


@pytest.mark.parametrize("harm", ["missing", "torn", "too many"])
def test_levels_are_made_up_when_the_writer_goes_on(tmp_path, harm):
    write_steps(tmp_path, 1, 1025)
    levels = levels_file(curve(tmp_path).path)
    whole = levels.read_bytes()
    if harm == "missing":
        levels.unlink()
    else:
        levels.write_bytes(whole[:40] if harm == "torn" else whole + whole)
    write_steps(tmp_path, 1025, 1030)
    assert levels.read_bytes() == whole


def test_levels_are_cut_with_their_rows(tmp_path):
    write_steps(tmp_path, 1, 1025)
    path = curve(tmp_path).path
    cut(tmp_path, step=700, epochs=1000)
    assert levels_file(path).stat().st_size == 2 * 32
    write_steps(tmp_path, 701, 1025)
    assert levels_file(path).stat().st_size == 4 * 32


def test_csv_has_every_row_with_all_digits(tmp_path):
    write_steps(tmp_path, 1, 20_001)
    write_steps(tmp_path, 1, 3, rank=1)
    rows = list(csv.DictReader(csv_lines(list_series(tmp_path))))
    assert len(rows) == 2 * 20_000 + 5_000 + 2 * 2
    found = [row for row in rows if row["name"] == "Train loss" and row["rank"] == "0"]
    assert [(int(row["step"]), float(row["value"])) for row in found] == [
        (step, 1 / step) for step in range(1, 20_001)
    ]
    assert (found[2]["kind"], found[2]["unit"], float(found[2]["epoch"])) == ("step", "nats", 0.75)


def test_reading_curves_imports_nothing_heavy():
    code = (
        "import sys, imageloom.files.series.read\n"
        "print([m for m in ('torch', 'numpy', 'PIL', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("step", "most", "expected"),
    [(None, 100, [1, 2, 3, 4, 5]), (None, 2, [1, 2]), (3, 100, [4, 5]), (2, 1, [3]), (5, 9, [])],
)
def test_rows_behind_a_step_are_found_whatever_was_read_before(tmp_path, step, most, expected):
    write_steps(tmp_path, 1, 6)
    found = rows_behind(curve(tmp_path).path, step, most=most)
    assert [row.step for row in found] == expected
    assert rows_behind(tmp_path / "not-there.rows", step, most=most) == []
