"""Batches of whatever waits."""

import threading

import numpy as np
import pytest
import torch

from imageloom.errors import LibraryError, NaNError
from imageloom.serving.batching import Batcher


def picture(value):
    return torch.full((2, 2, 3), value, dtype=torch.uint8)


class Network:
    """Gives a picture's first value, and works only when it is let."""

    def __init__(self):
        self.sizes, self.strides = [], []
        self.may_work = threading.Event()
        self.works = threading.Event()

    def __call__(self, images_BCHW):
        self.sizes.append(len(images_BCHW))
        self.strides.append(images_BCHW.stride())
        self.works.set()
        assert self.may_work.wait(30)
        return images_BCHW[:, 0, 0, :1].float().numpy()


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def batcher(network):
    made = Batcher(network, batch_size=4, on_batch=lambda _: None)
    yield made
    network.may_work.set()
    made.close()


def test_a_picture_that_comes_alone_waits_for_no_other(network, batcher):
    network.may_work.set()
    assert batcher.submit(picture(7)).result(30).tolist() == [7.0]
    assert network.sizes == [1]


def test_what_comes_while_the_network_works_goes_together(network, batcher):
    first = batcher.submit(picture(0))
    assert network.works.wait(30)
    rest = [batcher.submit(picture(number)) for number in range(1, 8)]
    network.may_work.set()
    assert [one.result(30).item() for one in (first, *rest)] == list(range(8))
    assert network.sizes == [1, 4, 3]


def test_pictures_lie_in_memory_as_score_lays_them(network, batcher):
    network.may_work.set()
    batcher.submit(picture(1)).result(30)
    assert network.strides[0][1] == 1  # channels last


def test_a_picture_that_nobody_waits_for_any_more_is_left_out(network, batcher):
    batcher.submit(picture(0))
    assert network.works.wait(30)
    gone, wanted = batcher.submit(picture(1)), batcher.submit(picture(2))
    assert gone.cancel()
    network.may_work.set()
    assert wanted.result(30).item() == 2
    assert network.sizes == [1, 1]


def test_closing_answers_what_waits(network):
    batcher = Batcher(network, batch_size=4, on_batch=lambda _: None)
    waiting = [batcher.submit(picture(number)) for number in range(6)]
    network.may_work.set()
    batcher.close()
    assert [one.result(0).item() for one in waiting] == list(range(6))


def test_a_network_that_fails_costs_its_batch_and_is_broken_after_three():
    def fail(images_BCHW):
        if images_BCHW.float().mean() > 0:
            raise ValueError("it does not want to")
        return np.zeros((len(images_BCHW), 1), dtype=np.float32)

    batcher = Batcher(fail, batch_size=4, on_batch=lambda _: None)
    for number in (1, 1, 0, 1, 1, 1):
        assert not batcher.is_broken
        answer = batcher.submit(picture(number))
        if number:
            with pytest.raises(LibraryError, match="it does not want to"):
                answer.result(30)
        else:
            assert answer.result(30).item() == 0
    assert batcher.is_broken
    batcher.close()


def test_a_picture_without_numbers_costs_no_other():
    def strange(images_BCHW):
        rows_BK = images_BCHW[:, 0, 0, :1].float().numpy()
        return np.where(rows_BK == 1, np.float32("nan"), rows_BK)

    batcher = Batcher(strange, batch_size=4, on_batch=lambda _: None)
    bad, good = batcher.submit(picture(1)), batcher.submit(picture(2))
    with pytest.raises(NaNError, match="gave no number"):
        bad.result(30)
    assert good.result(30).item() == 2
    batcher.close()


def test_pictures_that_do_not_fit_together_cost_their_batch_and_not_the_thread(network, batcher):
    batcher.submit(picture(0))
    assert network.works.wait(30)
    together = [batcher.submit(picture(1)), batcher.submit(picture(2)[:-1])]
    network.may_work.set()
    for one in together:
        with pytest.raises(LibraryError, match="stack"):
            one.result(30)
    assert batcher.submit(picture(3)).result(30).item() == 3
