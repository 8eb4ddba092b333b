import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.data.loading.balanced_order import balanced_order
from imageloom.data.loading.sampler import batch_bounds, epoch_order, times_before
from imageloom.distributed.ranks import Ranks
from imageloom.training.params import TrainParams
from imageloom.training.shares import own_steps


def steps_of_all(num_images, params, processes, world_size, weights=None):
    order = epoch_order(num_images, params.seed, 0)
    return [
        own_steps(
            order, params, processes=processes, ranks=Ranks(rank, world_size), weights_N=weights
        )
        for rank in range(world_size)
    ]


@settings(max_examples=200)
@given(
    st.integers(1, 400),
    st.integers(1, 16),
    st.integers(1, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_every_picture_comes_once_in_the_same_order_on_any_number_of_processes(
    num_images, batch_size, accumulation_steps, seed, processes, world_size
):
    num_images = max(num_images, batch_size * processes)
    params = TrainParams(batch_size=batch_size, accumulation_steps=accumulation_steps, seed=seed)
    ranks = steps_of_all(num_images, params, processes, world_size)
    alone = steps_of_all(num_images, params, processes, 1)[0]
    assert {len(steps) for steps in ranks} == {len(alone)}
    for number, step in enumerate(alone):
        counted = [piece for rank in ranks for piece in rank[number] if piece.share > 0]
        used = sorted(row for piece in counted for row in piece.positions)
        assert used == sorted(row for piece in step for row in piece.positions)
        assert sum(piece.share for piece in counted) == pytest.approx(1, abs=1e-12)
        assert all(rank[number] for rank in ranks)  # each takes part in each step
        assert ranks[0][number][0].share > 0  # its BatchNorm statistics are the network's
        assert all(len(piece.positions) >= min(2, batch_size) for piece in counted)
        # A last batch that joined the one before it adds at most two pictures to each piece.
        assert all(len(piece.positions) <= batch_size + 2 for piece in counted)
    order = epoch_order(num_images, seed, 0)
    assert [row for step in alone for piece in step for row in piece.positions] == order.tolist()


@given(st.integers(1, 200), st.integers(1, 16))
def test_one_process_takes_whole_batches(num_images, batch_size):
    num_images = max(num_images, batch_size)
    steps = steps_of_all(num_images, TrainParams(batch_size=batch_size), 1, 1)[0]
    sizes = [len(piece.positions) for step in steps for piece in step]
    assert sizes == [stop - start for start, stop in batch_bounds(num_images, batch_size)]
    assert all(piece.share == 1.0 for step in steps for piece in step)


def test_fewer_processes_pass_the_same_pictures_together():
    params = TrainParams(batch_size=4)
    four = steps_of_all(70, params, 4, 4)
    for world_size in (1, 2, 3):
        fewer = steps_of_all(70, params, 4, world_size)
        for number in range(len(four[0])):
            assert [piece for rank in fewer for piece in rank[number]] == [
                piece for rank in four for piece in rank[number]
            ]


def test_shares_are_of_class_weights_where_there_are_any():
    weights = np.array([1.0, 1.0, 3.0, 5.0])
    first, second = steps_of_all(4, TrainParams(batch_size=2), 2, 2, weights)
    for piece in (first[0][0], second[0][0]):
        assert piece.share == weights[list(piece.positions)].sum() / 10
    assert first[0][0].share + second[0][0].share == 1.0


def test_a_process_without_pictures_repeats_some_that_count_nothing():
    # The run began with one process and ends an epoch with two pictures: too few for two.
    ranks = steps_of_all(6, TrainParams(batch_size=4), 1, 2)
    assert [piece.share for piece in ranks[0][-1]] == [1.0]
    assert [piece.share for piece in ranks[1][-1]] == [0.0]
    assert ranks[1][-1][0].positions == ranks[0][-1][0].positions


def test_pictures_of_a_balanced_epoch_keep_their_turns_on_any_number_of_processes():
    labels = np.repeat(np.arange(3, dtype=np.int32), (2, 7, 24))
    order = balanced_order(labels, 3, seed=5, epoch=2)
    expected = sorted(zip(order.tolist(), times_before(order).tolist(), strict=True))
    assert max(time for _, time in expected) == 5  # two pictures in eleven places
    for world_size in (1, 2, 3):
        read = [
            pair
            for rank in range(world_size)
            for step in own_steps(
                order,
                TrainParams(batch_size=4),
                processes=2,
                ranks=Ranks(rank, world_size),
                weights_N=None,
            )
            for piece in step
            if piece.share > 0
            for pair in zip(piece.positions, piece.times, strict=True)
        ]
        assert sorted(read) == expected
