import collections
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imageloom.data.loading.balanced_order import balanced_order
from imageloom.data.loading.loader import BatchKey, PictureLoader, Reading
from imageloom.data.loading.random_numbers import seed_of_sample
from imageloom.data.loading.sampler import epoch_order, times_before
from imageloom.preprocessing import RandomCrop

MADE = st.lists(st.integers(1, 40), min_size=2, max_size=7)
SEEDS = st.integers(-(2**63), 2**63 - 1)


def labels_of(counts):
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return np.random.default_rng(sum(counts)).permutation(labels)


def orders(labels, num_classes, seed, epochs):
    return [balanced_order(labels, num_classes, seed=seed, epoch=epoch) for epoch in epochs]


@given(MADE, SEEDS, st.integers(0, 10_000))
def test_an_epoch_is_as_long_as_ever_and_has_as_many_of_each_class(counts, seed, epoch):
    labels = labels_of(counts)
    (order,) = orders(labels, len(counts), seed, [epoch])
    assert len(order) == len(labels)
    read = np.bincount(labels[order], minlength=len(counts))
    assert read.max() - read.min() <= 1


@given(MADE, SEEDS)
def test_over_all_epochs_no_class_has_more_than_one_place_more(counts, seed):
    labels = labels_of(counts)
    read = np.zeros(len(counts), dtype=int)
    for order in orders(labels, len(counts), seed, range(9)):
        read += np.bincount(labels[order], minlength=len(counts))
        assert read.max() - read.min() <= 1


@given(MADE, SEEDS)
def test_no_picture_comes_again_before_all_others_of_its_class(counts, seed):
    """Counted from the first epoch on, at the end of each."""
    labels = labels_of(counts)
    read = np.zeros(len(labels), dtype=int)
    for order in orders(labels, len(counts), seed, range(9)):
        np.add.at(read, order, 1)
        for number in range(len(counts)):
            of_class = read[labels == number]
            assert of_class.max() - of_class.min() <= 1


@given(MADE, SEEDS)
def test_it_is_what_a_walk_from_the_first_epoch_on_reads(counts, seed):
    """Second implementation: classes take turns, each with an endless walk through its pictures."""
    labels = labels_of(counts)

    def walk(number):
        rows = np.flatnonzero(labels == number)
        for turn in itertools.count():
            yield from rows[epoch_order(len(rows), seed * 1_000_003 + number + 1, turn)]

    walks = [walk(number) for number in range(len(counts))]
    turns = itertools.cycle(range(len(counts)))
    for epoch, order in enumerate(orders(labels, len(counts), seed, range(4))):
        places = [(number, next(walks[number])) for number in itertools.islice(turns, len(labels))]
        places.sort(key=lambda place: place[0])  # within a class they stay in order
        shuffled = epoch_order(len(labels), seed, epoch)
        assert order.tolist() == [places[place][1] for place in shuffled]


def test_each_place_of_an_epoch_has_each_class_equally_often():
    labels = labels_of([1, 3, 8])
    firsts = np.bincount([labels[orders(labels, 3, seed, [0])[0][0]] for seed in range(3000)])
    # Four standard deviations of a binomial with n = 3000 and p = 1/3.
    assert np.abs(firsts - 1000).max() < 4 * (3000 / 3 * 2 / 3) ** 0.5


def test_other_seeds_and_epochs_read_in_another_order():
    labels = labels_of([6, 6])
    found = {tuple(order) for seed in (1, 2, -1) for order in orders(labels, 2, seed, range(3))}
    assert len(found) == 9


@given(st.lists(st.integers(0, 5)))
def test_times_before_count_what_stands_before(order):
    seen = collections.Counter()
    expected = []
    for one in order:
        expected.append(seen[one])
        seen[one] += 1
    assert times_before(np.array(order, dtype=np.int64)).tolist() == expected


def test_a_picture_that_comes_again_draws_other_numbers_than_before():
    seeds = [seed_of_sample(1, 0, 5, time) for time in range(4)]
    assert seeds[0] == seed_of_sample(1, 0, 5)  # as where none comes again
    assert len(set(seeds)) == 4


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_picture_that_comes_again_is_cut_anew_in_batches_of_any_size(make_pictures, workers):

    images = make_pictures(per_class=1)
    loader = PictureLoader(images, (RandomCrop(size=8),), seed=3, reading=Reading(workers=workers))
    together = BatchKey(0, (1, 1, 2, 1), (0, 1, 0, 2))
    single = [BatchKey(0, (row,), (time,)) for row, time in ((1, 0), (1, 1), (2, 0), (1, 2))]
    try:
        first, *others = loader.batches([together, *single])
    finally:
        loader.close()
    assert torch.equal(first.images_BCHW, torch.cat([other.images_BCHW for other in others]))
    again = first.images_BCHW[torch.tensor([0, 1, 3])]
    assert len({picture.numpy().tobytes() for picture in again}) == 3
