import numpy as np

from imageloom.data.similar.likeness import MIN_CORRELATION, Likeness
from imageloom.data.similar.near_sets import near_sets
from imageloom.events import Control

DISTANCE = 6


def scenes(num, seed):
    """Miniatures of which many are others with some light and noise on them."""
    generator = np.random.default_rng(seed)
    bases = generator.integers(30, 220, (num // 4, 8, 9))
    chosen = bases[generator.integers(0, len(bases), num)]
    light = generator.uniform(0.8, 1.15, (num, 1, 1))
    noise = generator.normal(0, 6, chosen.shape)
    return (chosen * light + noise).clip(0, 255).astype(np.uint8)


def are_alike(one, other):
    bits = np.count_nonzero((one[:, 1:] > one[:, :-1]) != (other[:, 1:] > other[:, :-1]))
    return bits <= DISTANCE and np.corrcoef(one.ravel(), other.ravel())[0, 1] >= MIN_CORRELATION


def brute_force(miniatures):
    """The same sets by comparing all with all, and walking from one to the next."""
    rows = range(len(miniatures))
    near = {
        row: [other for other in rows if are_alike(miniatures[row], miniatures[other])]
        for row in rows
    }
    found, seen = [], set()
    for row in rows:
        reached, waiting = set(), [row]
        while waiting:
            one = waiting.pop()
            if one not in reached | seen:
                reached.add(one)
                waiting += near[one]
        seen |= reached
        if len(reached) > 1:
            found.append(sorted(reached))
    return found


def test_sets_are_what_alike_pairs_join():
    for seed in range(3):
        miniatures = scenes(120, seed)
        expected = brute_force(miniatures)
        found = [one.tolist() for one in near_sets(miniatures, DISTANCE, control=Control())]
        assert found == expected
        assert len(found) > 10


def test_a_chain_is_one_set_although_its_ends_differ():
    generator = np.random.default_rng(0)
    first, last = generator.integers(0, 256, (2, 8, 9))
    steps = np.linspace(0, 1, 60)[:, None, None]
    chain = (first * (1 - steps) + last * steps).astype(np.uint8)
    (found,) = near_sets(chain, DISTANCE, control=Control())
    assert found.tolist() == list(range(60))
    assert not are_alike(chain[0], chain[-1])


def test_equal_hashes_of_different_pictures_make_no_set():
    """The hash compares neighbours in a row only: here the columns rise alike."""
    rising = np.tile(np.arange(9) * 2, (8, 1))
    one = (rising + np.array([0, 200, 0, 200, 0, 200, 0, 200])[:, None]).astype(np.uint8)
    other = (rising + np.array([200, 0, 200, 0, 200, 0, 200, 0])[:, None]).astype(np.uint8)
    both = np.stack([one, other])
    assert len(set(Likeness(both, DISTANCE).hashes_N.tolist())) == 1
    assert near_sets(both, DISTANCE, control=Control()) == []


def test_many_equal_miniatures_are_one_set_at_once():
    one = np.random.default_rng(1).integers(0, 256, (1, 8, 9)).astype(np.uint8)
    (found,) = near_sets(np.repeat(one, 200_000, axis=0), DISTANCE, control=Control())
    assert len(found) == 200_000


def test_nothing_is_near_nothing():
    assert near_sets(np.zeros((0, 8, 9), dtype=np.uint8), DISTANCE, control=Control()) == []
