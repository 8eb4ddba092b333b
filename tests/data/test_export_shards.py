import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageloom.data.exports.shards import plan_shards


@pytest.mark.parametrize(
    ("sizes", "shards"),
    [
        ([5], [range(1)]),
        ([5, 5, 5], [range(2), range(2, 3)]),
        ([10, 1, 9, 1], [range(1), range(1, 3), range(3, 4)]),
        ([1, 99, 1], [range(1), range(1, 2), range(2, 3)]),
    ],
)
def test_a_shard_is_filled_up_to_the_limit(sizes, shards):
    assert list(plan_shards(sizes, 10)) == shards


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 60))
def test_every_row_is_in_one_shard_and_none_could_take_the_next(sizes, most):
    shards = plan_shards(sizes, most)
    assert [row for rows in shards for row in rows] == list(range(len(sizes)))
    totals = [sum(sizes[row] for row in rows) for rows in shards]
    for rows, total in zip(shards, totals, strict=True):
        assert total <= most or len(rows) == 1
    for rows, total in zip(shards[1:], totals, strict=False):
        assert total + sizes[rows.start] > most
