"""Few points of many rows: compared with a plain count over all rows, no peak is lost."""

import math
import random

import pytest

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SeriesName
from imageloom.files.series.read import Bucket, list_series, thin
from imageloom.files.series.writer import SeriesWriter, levels_file

LOSS = SeriesName("Train loss", "nats", "step")


def write(folder, values, first_step=1):
    with SeriesWriter(folder, [LOSS], rank=0, error=CannotResumeError) as writer:
        for step, value in enumerate(values, start=first_step):
            writer.append({LOSS: value}, step=step, epoch=0)
    return list_series(folder)[0].path


def plain(values, from_step, to_step, points):
    """The same by the words of the documentation, over lists; steps begin at 1."""
    first, last = max(0, from_step - 1), min(len(values), to_step)
    size = 1
    while len({row // size for row in range(first, last)}) > points:
        size *= 2
    found = {}
    for row in range(first, last):
        found.setdefault(row // size, []).append(row)
    return [_bucket(rows, values) for rows in found.values()]


def _bucket(rows, values):
    of_rows = [values[row] for row in rows]
    finite = [value for value in of_rows if math.isfinite(value)]
    return Bucket(
        first_step=rows[0] + 1,
        last_step=rows[-1] + 1,
        min=min(finite) if finite else None,
        max=max(finite) if finite else None,
        last=of_rows[-1],
        count=len(rows),
        num_nan=sum(value != value for value in of_rows),
        num_infinite=sum(value in (math.inf, -math.inf) for value in of_rows),
    )


def odd_values(count, seed=0):
    """Noise with peaks, and here and there what is no finite number."""
    draw = random.Random(seed)
    values = [draw.gauss(0, 1) for _ in range(count)]
    for _ in range(max(1, count // 100)):
        odd = draw.choice([math.nan, math.inf, -math.inf, 1e300, -1e308, 1.7e308])
        values[draw.randrange(count)] = odd
    return values


def same(left, right):
    return repr(left) == repr(right)  # NaN is not equal to itself


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 1000, 5000])
@pytest.mark.parametrize("points", [2, 3, 10, 300])
def test_it_is_what_a_plain_count_gives(tmp_path, count, points):
    values = odd_values(count) if count else []
    path = write(tmp_path, values)
    for from_step, to_step in [(0, 10**9), (1, count), (200, 900), (257, 512), (300, 300), (9, 5)]:
        found = thin(path, from_step, to_step, points)
        assert same(found, plain(values, from_step, to_step, points)), (from_step, to_step)
        assert len(found) <= points


@pytest.mark.parametrize("harm", ["missing", "short"])
def test_it_is_the_same_without_levels(tmp_path, harm):
    values = odd_values(5000, seed=1)
    path = write(tmp_path, values)
    levels = levels_file(path)
    levels.write_bytes(levels.read_bytes()[:96])
    if harm == "missing":
        levels.unlink()
    for points in (2, 7, 100):
        assert same(thin(path, 0, 10**9, points), plain(values, 0, 10**9, points))


@pytest.mark.parametrize("peak", [0, 255, 256, 4321, 4999])
def test_one_step_of_five_thousand_is_seen(tmp_path, peak):
    values = [0.0] * 5000
    values[peak] = 99.0
    (bucket,) = [one for one in thin(write(tmp_path, values), 0, 10**9, 4) if one.max]
    assert bucket.max == 99.0
    assert bucket.first_step <= peak + 1 <= bucket.last_step


def test_a_part_of_nothing_but_nan_says_so(tmp_path):
    (bucket,) = thin(write(tmp_path, [math.nan] * 3 + [math.inf]), 0, 10, 1 + 1)[:1]
    assert (bucket.min, bucket.max, bucket.num_nan, bucket.num_infinite) == (None, None, 2, 0)


def test_points_that_were_drawn_stay_while_the_curve_grows(tmp_path):
    path = write(tmp_path, odd_values(6000, seed=2))
    before = thin(path, 0, 10**9, 100)
    write(tmp_path, odd_values(300, seed=3), first_step=6001)
    after = thin(path, 0, 10**9, 100)
    assert same(after[: len(before) - 1], before[:-1])


def test_a_curve_without_a_file_has_no_points(tmp_path):
    assert thin(tmp_path / "none.rows", 0, 10, 5) == []


def test_a_torn_row_is_no_point(tmp_path):
    path = write(tmp_path, [1.0, 2.0])
    with path.open("ab") as file:
        file.write(b"\x00" * 31)
    assert sum(one.count for one in thin(path, -1, 10, 5)) == 2
