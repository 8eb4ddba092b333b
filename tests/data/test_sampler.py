import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageloom.data.loading.sampler import (
    batch_bounds,
    deal,
    epoch_order,
    step_bounds,
    steps_per_epoch,
)

MASK = 2**64 - 1


def splitmix64(state):
    """Second implementation in plain integers, from the paper's figure."""
    z = state & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def plain_order(num_images, seed, epoch):
    golden = 0x9E3779B97F4A7C15
    inner = splitmix64((seed & MASK) + golden)
    start = splitmix64(((inner ^ epoch) + golden) & MASK)
    keys = [splitmix64(start + i * golden) for i in range(num_images)]
    return sorted(range(num_images), key=keys.__getitem__)


@given(st.integers(0, 300), st.integers(-(2**63), 2**63 - 1), st.integers(0, 10_000))
def test_order_is_splitmix64_keys_sorted(num_images, seed, epoch):
    assert epoch_order(num_images, seed, epoch).tolist() == plain_order(num_images, seed, epoch)


def test_order_differs_by_epoch_and_by_seed():
    orders = {tuple(epoch_order(50, seed, epoch)) for seed in (1, 2, -1) for epoch in (0, 1, 2)}
    assert len(orders) == 9


def test_every_position_comes_first_equally_often():
    firsts = np.bincount([epoch_order(4, seed, 0)[0] for seed in range(4000)], minlength=4)
    # Four standard deviations of a binomial with n = 4000 and p = 1/4.
    assert np.abs(firsts - 1000).max() < 4 * (4000 * 0.25 * 0.75) ** 0.5


@given(st.integers(1, 500), st.integers(1, 64))
def test_batches_use_every_picture_once_and_none_of_several_is_single(num_images, batch_size):
    bounds = batch_bounds(num_images, batch_size)
    used = [position for start, stop in bounds for position in range(start, stop)]
    assert used == list(range(num_images))
    sizes = [stop - start for start, stop in bounds]
    if batch_size > 1 and num_images > 1:
        assert min(sizes) > 1
    assert max(sizes) <= batch_size + 1


@pytest.mark.parametrize(
    ("num_images", "batch_size", "sizes"),
    [(17, 16, [17]), (33, 16, [16, 17]), (34, 16, [16, 16, 2]), (1, 16, [1]), (3, 1, [1, 1, 1])],
)
def test_f08_a_last_batch_of_one_joins_the_batch_before_it(num_images, batch_size, sizes):
    assert [stop - start for start, stop in batch_bounds(num_images, batch_size)] == sizes


@pytest.mark.parametrize(
    ("num_images", "processes", "sizes"),
    [(20, 2, [8, 8, 4]), (19, 2, [8, 11]), (8, 2, [8]), (11, 2, [11]), (37, 4, [16, 21])],
)
def test_h05_a_last_batch_without_two_pictures_for_each_process_joins_the_one_before_it(
    num_images, processes, sizes
):
    bounds = batch_bounds(num_images, 4, processes)
    assert [stop - start for start, stop in bounds] == sizes


def test_with_batches_of_one_each_process_needs_one_picture():
    assert batch_bounds(7, 1, 3) == [(0, 3), (3, 7)]


def test_f08_the_naive_loader_makes_a_last_batch_of_one():
    from torch.utils.data import DataLoader

    assert [len(batch) for batch in DataLoader(range(17), batch_size=16)] == [16, 1]


@given(st.integers(1, 300), st.integers(1, 32), st.integers(1, 7))
def test_steps_are_the_batches_in_order(num_images, batch_size, accumulation_steps):
    steps = step_bounds(num_images, batch_size, accumulation_steps)
    assert [bounds for step in steps for bounds in step] == batch_bounds(num_images, batch_size)
    assert all(len(step) == accumulation_steps for step in steps[:-1])
    assert len(steps) == steps_per_epoch(num_images, batch_size, accumulation_steps)


@given(st.integers(0, 40), st.integers(1, 8))
def test_each_batch_is_dealt_to_one_process_and_all_play_the_same_rounds(num_batches, world_size):
    batches = [range(2 * number, 2 * number + 2) for number in range(num_batches)]
    hands = [deal(batches, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert len({len(hand) for hand in hands}) == 1
    dealt = [batch for hand in hands for batch in hand if batch]
    assert sorted(dealt, key=lambda batch: batch.start) == batches
