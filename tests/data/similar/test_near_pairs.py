import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imageloom.data.similar.near_pairs import MAX_DISTANCE, count_bits, near_pairs
from imageloom.errors import NotInRangeValueError, RunInterruptedError
from imageloom.events import CancelToken, Control


def pairs_of(hashes, distance):
    found = []
    for pairs in near_pairs(hashes, distance, control=Control()):
        found += zip(*(column.tolist() for column in pairs), strict=True)
    return sorted(found)


def brute_force(hashes, distance):
    numbers = hashes.tolist()
    return [
        (first, second, (one ^ other).bit_count())
        for first, one in enumerate(numbers)
        for second, other in enumerate(numbers[first + 1 :], start=first + 1)
        if (one ^ other).bit_count() <= distance
    ]


def clustered(num, seed, flips):
    """Hashes of which many differ in few bits."""
    generator = np.random.default_rng(seed)
    centres = generator.integers(0, 2**63, max(1, num // 6), dtype=np.uint64) * np.uint64(2)
    hashes = centres[generator.integers(0, len(centres), num)]
    for _ in range(flips):
        bit = np.uint64(1) << generator.integers(0, 64, num, dtype=np.uint64)
        hashes ^= bit * (generator.random(num) < 0.6)
    return hashes


@pytest.mark.parametrize("distance", range(MAX_DISTANCE + 1))
def test_all_pairs_within_the_distance_come_once_and_no_other(distance):
    hashes = clustered(250, seed=distance, flips=distance // 2 + 1)
    expected = brute_force(hashes, distance)
    assert len(expected) > 10
    assert pairs_of(hashes, distance) == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=12), st.integers(0, MAX_DISTANCE))
def test_any_hashes_give_what_brute_force_gives(numbers, distance):
    hashes = np.array(numbers, dtype=np.uint64)
    assert pairs_of(hashes, distance) == brute_force(hashes, distance)


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_bits_are_counted(numbers):
    words = np.array(numbers, dtype=np.uint64)
    assert count_bits(words).tolist() == [number.bit_count() for number in numbers]


@pytest.mark.parametrize("distance", [-1, MAX_DISTANCE + 1])
def test_a_distance_out_of_range_is_refused(distance):
    with pytest.raises(NotInRangeValueError, match=f"distance is {distance}, but must be 0 to 10"):
        pairs_of(np.zeros(2, dtype=np.uint64), distance)


def test_the_search_can_be_stopped():
    cancel = CancelToken()
    cancel.set("the test")
    with pytest.raises(RunInterruptedError, match="the test"):
        list(near_pairs(np.zeros(3, dtype=np.uint64), 2, control=Control(cancel=cancel)))
