"""Torch's own generator is the reference."""

import threading

import numpy as np
import pytest
import torch

from imageloom.data.loading.random_numbers import Draw, float32, seed_of_sample

SEEDS = [0, 1, 2**32 - 1, 2**32, 2**63 - 1, *(seed_of_sample(7, 3, row) for row in range(40))]


def generator_of(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_number_is_the_one_that_torch_draws(seed):
    draw, generator = Draw(seed), generator_of(seed)
    for low, high in ((0.25, 1.0), (-0.2876821, 0.2876821), (0.6, 1.4), (-15.0, 15.0), (0, 1)):
        expected = torch.empty(1).uniform_(low, high, generator=generator).item()
        assert draw.uniform(low, high) == pytest.approx(expected, rel=2**-22)  # without FMA
        span = 3 + int(100 * high)
        assert draw.integer(-2, span) == torch.randint(-2, span, (1,), generator=generator)
        expected = torch.rand(1, generator=generator) < low
        assert draw.happens(low) == expected.item()
        assert draw.order(4) == torch.randperm(4, generator=generator).tolist()


def test_a_probability_is_compared_in_float32():
    seed = next(seed for seed in range(1000) if Draw(seed).uniform(0, 1) < 0.5)
    share = Draw(seed).uniform(0, 1)
    assert not Draw(seed).happens(share)
    assert Draw(seed).happens(share * (1 + 2**-20))
    # In float64 this is more than the share, in float32 it is the share.
    assert not Draw(seed).happens(share * (1 + 2**-30))


def test_any_count_of_numbers_comes_in_torchs_order():
    draw, generator = Draw(11), generator_of(11)
    expected = torch.randint(0, 1000, (700,), generator=generator).tolist()  # more than the 624
    assert [draw.integer(0, 1000) for _ in range(700)] == expected


def test_pictures_that_are_drawn_for_in_turn_do_not_mix():
    several = [Draw(seed) for seed in range(3)]
    found = [[draw.integer(0, 1000) for draw in several] for _ in range(50)]
    for seed, numbers in enumerate(zip(*found, strict=True)):
        alone = Draw(seed)
        assert list(numbers) == [alone.integer(0, 1000) for _ in range(50)]


def test_threads_draw_what_one_thread_draws():
    def numbers(seed):
        draw = Draw(seed)
        return [draw.uniform(0, 1) for _ in range(40)]

    found = {}

    def draw_some(first):
        for seed in range(first, first + 200):
            found[seed] = numbers(seed)

    threads = [threading.Thread(target=draw_some, args=(200 * place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {seed: numbers(seed) for seed in range(800)}


def test_torchs_own_generator_and_numpys_are_left_alone():
    before, numpys = torch.get_rng_state(), np.random.get_state()[1].tolist()
    Draw(5).order(10)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.get_state()[1].tolist() == numpys


@pytest.mark.parametrize("number", [0.1, -1 / 3, 1e-40, 16777217.0])
def test_float32_is_the_nearest(number):
    assert float32(number) == torch.tensor(number, dtype=torch.float32).item()
