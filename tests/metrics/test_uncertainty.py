import math

import pytest

from imageloom.metrics import chance_of_difference, wilson_interval


def test_interval_of_a_fraction_equals_the_published_formula():
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662 by Wilson's score method.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_interval_stays_inside_zero_and_one():
    assert wilson_interval(0, 3)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson_interval(3, 3)[1] == pytest.approx(1.0, abs=1e-12)
    assert all(0 <= bound <= 1 for n in range(1, 50) for bound in wilson_interval(n, n))
    assert wilson_interval(3, 3)[0] == pytest.approx(3 / (3 + 1.959963984540054**2))


def test_without_pictures_nothing_is_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_chance_of_an_uneven_split_is_the_binomial_tail():
    expected = 2 * sum(math.comb(10, k) for k in range(3)) / 2**10
    assert chance_of_difference(2, 8) == pytest.approx(expected)
    assert chance_of_difference(8, 2) == pytest.approx(expected)


def test_an_even_split_or_none_is_no_evidence():
    assert chance_of_difference(0, 0) == 1.0
    assert chance_of_difference(5, 5) == 1.0


def test_a_split_of_fifty_thousand_pictures_is_computed_without_overflow():
    # By the normal approximation z = (25,500 - 24,500 - 1) / sqrt(50,000) = 4.47: p = 7.9e-6.
    assert chance_of_difference(24_500, 25_500) == pytest.approx(7.9e-6, rel=0.02)
