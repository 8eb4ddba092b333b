"""Curves over the API, against the values that were written (J17)."""

import csv
import io
import math

import pytest

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SERIES_FOLDER, SeriesName
from imageloom.files.series.writer import SeriesWriter

from .made_run import made_run

LOSS = SeriesName("Train loss", "nats", "step")
VALID = SeriesName("Valid loss", "nats", "epoch")
VALUES = [
    math.nan if step == 700 else math.sin(step) + (90 if step == 123 else 0) for step in range(1000)
]


@pytest.fixture
def address(studio):
    """Where the curves of a node are asked for: 1,000 steps of two processes, and two epochs."""
    run = made_run(studio)
    for rank in (0, 1):
        folder = run.node_folder("a") / SERIES_FOLDER
        names = [LOSS, VALID] if rank == 0 else [LOSS]
        with SeriesWriter(folder, names, rank=rank, error=CannotResumeError) as writer:
            for step, value in enumerate(VALUES, 1):
                writer.append({LOSS: value + rank}, step=step, epoch=step / 500)
                if rank == 0 and step % 500 == 0:
                    writer.append({VALID: 0.5}, step=step, epoch=step / 500)
    return f"/api/runs/{run.id}/nodes/a/series"


def test_all_curves_of_all_processes_are_named_with_their_lengths(page, address):
    rows = page.get(address).json()
    assert [(one["name"], one["kind"], one["rank"], one["num_rows"]) for one in rows] == [
        ("Train loss", "step", 0, 1000),
        ("Valid loss", "epoch", 0, 2),
        ("Train loss", "step", 1, 1000),
    ]


def test_few_points_stand_for_all_rows_and_hide_no_peak(page, address):
    curve = page.get(f"{address}/points", params={"name": "Train loss", "points": 20}).json()
    points = curve["points"]
    assert len(points) <= 20
    assert curve["num_rows"] == sum(one["count"] for one in points) == 1000
    assert max(one["max"] for one in points) == VALUES[123]
    assert min(one["min"] for one in points) == min(value for value in VALUES if value == value)
    assert sum(one["num_nan"] for one in points) == 1


def test_a_part_of_a_curve_is_what_its_steps_say(page, address):
    query = {"name": "Train loss", "rank": 1, "from": 10, "to": 19, "points": 100}
    points = page.get(f"{address}/points", params=query).json()["points"]
    assert [one["last_step"] for one in points] == list(range(10, 20))
    assert [one["last"] for one in points] == [value + 1 for value in VALUES[9:19]]


def test_a_value_that_is_no_number_is_null(page, address):
    query = {"name": "Train loss", "from": 701, "to": 701}
    (point,) = page.get(f"{address}/points", params=query).json()["points"]
    assert (point["last"], point["min"], point["num_nan"]) == (None, None, 1)


def test_a_curve_that_is_not_there_is_named_with_those_that_are(page, address):
    answer = page.get(f"{address}/points", params={"name": "Gradient norm"})
    assert answer.status_code == 404
    assert "Train loss" in answer.json()["error"]["hint"]


def test_the_file_holds_every_row_with_all_digits(page, address):
    answer = page.get(f"{address}/file")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2002
    mine = [float(one["value"]) for one in rows if (one["rank"], one["kind"]) == ("0", "step")]
    assert [repr(one) for one in mine] == [repr(one) for one in VALUES]
