"""Blended batches: torchvision's transforms are the reference, for the same numbers."""

import dataclasses

import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from imageloom.models.compute import Compute
from imageloom.training.batch_parts import BatchParts
from imageloom.training.micro_batch import MicroBatch, MixedIn
from imageloom.training.mixing import mixed
from imageloom.training.params import TrainParams
from imageloom.training.step import Stepper

BOTH = {"mixup_alpha": 0.4, "cutmix_alpha": 1.0}
CLASSES = 5


def batch(count=6, height=8, width=12):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(count, 3, height, width, generator=generator)
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    return MicroBatch(inputs, labels, share=1.0)


def blended(whole, *, epoch=0, first=0, **params):
    return mixed(whole, TrainParams(**params), epoch=epoch, first=first)


def soft_targets(found):
    own = nn.functional.one_hot(found.labels_B, CLASSES) * (1 - found.mixed_in.part)
    return own + nn.functional.one_hot(found.mixed_in.labels_B, CLASSES) * found.mixed_in.part


def test_nothing_is_blended_unless_asked_for():
    whole = batch()
    assert blended(whole) is whole


@pytest.mark.parametrize("first", range(8))
def test_mixup_is_that_of_torchvision(first):
    whole = batch()
    found = blended(whole, mixup_alpha=0.4, first=first)
    theirs = v2.MixUp(alpha=0.4, num_classes=CLASSES)
    theirs.make_params = lambda _: {"lam": 1 - found.mixed_in.part}
    inputs, targets = theirs(whole.inputs_BCHW, whole.labels_B)
    torch.testing.assert_close(found.inputs_BCHW, inputs)
    torch.testing.assert_close(soft_targets(found), targets)


@pytest.mark.parametrize("first", range(30))
def test_cutmix_is_that_of_torchvision(first):
    whole = batch()
    found = blended(whole, cutmix_alpha=1.0, first=first)
    changed = (found.inputs_BCHW != whole.inputs_BCHW).any(dim=0).any(dim=0)
    rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
    if not len(rows):
        assert found.mixed_in.part == 0
        return
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    area = (box[2] - box[0]) * (box[3] - box[1])
    theirs = v2.CutMix(num_classes=CLASSES)
    theirs.make_params = lambda _: {"box": box, "lam_adjusted": 1 - area / (8 * 12)}
    inputs, targets = theirs(whole.inputs_BCHW, whole.labels_B)
    torch.testing.assert_close(found.inputs_BCHW, inputs, rtol=0, atol=0)
    torch.testing.assert_close(soft_targets(found), targets)


def test_the_part_follows_the_beta_distribution():
    parts = [blended(batch(2), mixup_alpha=0.4, first=n).mixed_in.part for n in range(4000)]
    # Of Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)).
    found = torch.tensor(parts, dtype=torch.float64)
    assert found.mean() == pytest.approx(0.5, abs=0.03)
    assert found.var() == pytest.approx(1 / (4 * 1.8), abs=0.01)


def test_boxes_cover_as_much_as_was_drawn_where_no_border_cuts_them():
    parts = [blended(batch(2, 40, 40), cutmix_alpha=1.0, first=n).mixed_in.part for n in range(400)]
    assert min(parts) == 0 or min(parts) < 0.05
    assert 0.6 < max(parts) <= 1


def test_numbers_depend_on_seed_epoch_and_first_picture_and_on_nothing_else():
    whole = batch()
    ways = [{}, {"epoch": 1}, {"first": 7}, {"seed": 2}]
    found = [blended(whole, **BOTH, **way).mixed_in.part for way in ways]
    assert len(set(found)) == len(ways)
    torch.manual_seed(5)
    again = [blended(whole, **BOTH, **way).mixed_in.part for way in ways]
    assert found == again


def test_with_both_each_is_drawn_half_of_the_time():
    whole = batch()
    is_cut = [
        bool((blended(whole, **BOTH, first=n).inputs_BCHW == whole.inputs_BCHW).any())
        for n in range(400)
    ]
    assert 150 < sum(is_cut) < 250


def step(network, batches, weight=None, **more):
    criterion = nn.CrossEntropyLoss(weight=weight)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    compute = Compute(device=torch.device("cpu"), precision="float32")
    sums, _ = Stepper(network, criterion, optimizer, compute, **more).take(batches)
    return sums


def linear_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 12, CLASSES))


def test_the_gradient_is_that_of_cross_entropy_with_soft_targets():
    found = blended(batch(), mixup_alpha=1.0, first=2)
    network, reference = linear_network(), linear_network()
    logits = reference(found.inputs_BCHW)
    expected = nn.functional.cross_entropy(logits, soft_targets(found))
    expected.backward()
    sums = step(network, [found])
    assert sums.mean_loss == pytest.approx(expected.item(), rel=1e-6)
    for one, other in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    larger = soft_targets(found).argmax(dim=1)
    assert sums.top1 == int((logits.argmax(dim=1) == larger).sum())


@pytest.mark.parametrize("weighted", [False, True])
def test_parts_for_which_memory_suffices_give_the_gradient_of_the_whole(weighted):
    weight = torch.tensor([0.5, 2.0, 1.0, 0.2, 3.0]) if weighted else None
    found = blended(batch(9), cutmix_alpha=1.0, first=3)
    whole, cut = linear_network(), linear_network()
    step(whole, [found], weight)
    parts = BatchParts(nn.CrossEntropyLoss(weight=weight), lambda _: None)
    parts.cut_more(9)
    pieces = list(parts.of(found))
    assert len(pieces) > 1
    step(cut, pieces, weight)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_of_a_blended_picture_the_larger_part_is_to_be_named():
    whole = batch()
    others = whole.labels_B.roll(1, 0)
    for part, expected in ((0.4, whole.labels_B), (0.6, others)):
        made = dataclasses.replace(whole, mixed_in=MixedIn(others, part=part, share=1.0))
        assert torch.equal(made.main_labels, expected)
