import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imageloom.metrics import ScoreSums, joined_sums, score_sums, topk_correct


def test_topk_counts_labels_among_the_highest_logits():
    logits = torch.tensor([[0.1, 0.9, 0.5], [0.8, 0.1, 0.2], [0.3, 0.2, 0.1]])
    labels = torch.tensor([2, 0, 2])  # second, first and third place
    assert [int(topk_correct(logits, labels, k)) for k in (1, 2, 3)] == [1, 2, 3]


def test_topk_is_a_scalar_count_of_whole_numbers():
    count = topk_correct(torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64), 1)
    assert (count.shape, count.dtype) == (torch.Size([]), torch.int64)


def test_equal_logits_stand_in_the_order_of_the_class_list():
    logits = torch.zeros(3, 3)
    assert int(topk_correct(logits, torch.tensor([0, 1, 2]), 1)) == 1
    assert int(topk_correct(logits, torch.tensor([0, 1, 2]), 2)) == 2


def test_k_above_the_number_of_classes_counts_every_picture():
    assert int(topk_correct(torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]), 5)) == 4


def test_unknown_labels_are_not_counted():
    assert int(topk_correct(torch.zeros(3, 2), torch.tensor([-1, 0, -1]), 2)) == 1


def test_a_label_with_a_nan_logit_is_never_right():
    logits = torch.tensor([[math.nan, 0.0], [0.0, math.nan]])
    assert int(topk_correct(logits, torch.tensor([0, 1]), 2)) == 0
    assert int(topk_correct(logits, torch.tensor([1, 0]), 1)) == 0


@settings(deadline=None, max_examples=50)
@given(st.integers(3, 12), st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_topk_equals_scikit_learn_where_no_logits_tie(
    sklearn_metrics, num_classes, images, k, seed
):
    generator = np.random.default_rng(seed)
    logits = generator.permuted(np.tile(np.arange(num_classes), (images, 1)), axis=1).astype(float)
    labels = generator.integers(0, num_classes, images)
    k = min(k, num_classes - 1)  # scikit-learn warns when k is the number of classes
    expected = sklearn_metrics.top_k_accuracy_score(
        labels, logits, k=k, normalize=False, labels=np.arange(num_classes)
    )
    assert int(topk_correct(torch.tensor(logits), torch.tensor(labels), k)) == expected


def test_sums_hold_the_cross_entropy_of_torch():
    logits = torch.randn(40, 7, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(40) % 7
    expected = float(torch.nn.functional.cross_entropy(logits.double(), labels))
    assert score_sums(logits, labels).mean_loss == pytest.approx(expected, abs=2**-27)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(24)), st.lists(st.integers(1, 23), max_size=4))
def test_sums_of_any_grouping_are_equal_to_the_last_bit(order, cuts):
    logits = 5 * torch.randn(24, 6, generator=torch.Generator().manual_seed(2))
    labels = torch.arange(24) % 6
    whole = score_sums(logits, labels)
    bounds = [0, *sorted(cuts), 24]
    parts = ScoreSums()
    for start, end in itertools.pairwise(bounds):
        rows = torch.tensor(order[start:end], dtype=torch.int64)
        parts = parts + score_sums(logits[rows], labels[rows])
    assert parts == whole


def test_sums_leave_out_unknown_labels():
    logits = torch.tensor([[4.0, 0.0], [0.0, 4.0], [9.0, 0.0]])
    sums = score_sums(logits, torch.tensor([0, 0, -1]))
    assert (sums.images, sums.top1, sums.top5) == (2, 1, 2)
    assert sums.loss == pytest.approx(2 * math.log1p(math.exp(-4)) + 4, abs=1e-7)


def test_a_loss_that_is_no_number_shows_in_the_mean():
    sums = score_sums(torch.tensor([[math.nan, 0.0], [1.0, 0.0]]), torch.tensor([0, 0]))
    assert math.isnan(sums.mean_loss)


def test_without_pictures_the_loss_is_not_a_number_and_never_the_lowest():
    assert math.isnan(ScoreSums().mean_loss)
    assert ScoreSums().top1_fraction == ScoreSums().top5_fraction == 0.0


@settings(max_examples=100)
@given(st.integers(1, 60), st.integers(1, 7), st.integers(1, 6), st.integers(0, 2**32))
@example(5, 1, 4, 0)  # a sampler that fills up would count 8
@example(3, 1, 8, 0)
@example(10, 1, 4, 0)
def test_h06_sums_over_any_number_of_processes_are_those_of_one_to_the_last_bit(
    images, batch_size, world_size, seed
):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(images, 4, generator=generator) * 10
    labels = torch.randint(0, 4, (images,), generator=generator)
    rows = [slice(start, start + batch_size) for start in range(0, images, batch_size)]
    batches = [score_sums(logits[row], labels[row]) for row in rows]
    alone = sum(batches, start=ScoreSums())
    numbers = [
        sum(batches[rank::world_size], start=ScoreSums()).as_numbers() for rank in range(world_size)
    ]
    assert joined_sums(numbers) == alone
    assert alone.images == images
