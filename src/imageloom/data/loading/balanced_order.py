"""Which pictures an epoch reads where every class shall come equally often. Integers only."""

import math

import numpy as np
import numpy.typing as npt

from imageloom.data.loading.sampler import epoch_order


def balanced_order(
    labels_N: npt.NDArray[np.int32], num_classes: int, *, seed: int, epoch: int
) -> npt.NDArray[np.int64]:
    """Return the order of an epoch that reads every class equally often, and N pictures as ever.

    Places are dealt to the classes in turn, from the first epoch to the last without a break, so
    that over a run no class has more than one place more than another. A class fills its places
    with all its pictures in random order, then with all of them in another: no picture comes again
    before each other one of its class has, and of a class that has more pictures than places the
    next epoch goes on where this one ended. Like ``epoch_order`` it is arithmetic on seed, epoch
    and position.

    What a network learns from are then pictures of a world in which all classes are equally
    frequent. It names rare classes more often, so their recall rises and the precision falls, and
    its probabilities are those of that world: for the frequencies of another they are multiplied by
    these and divided by their sum.

    Args:
        labels_N: Class of each picture, 0 to ``num_classes`` - 1; each class has one at least.
        num_classes: K.
        seed: Start of the random numbers, any 64-bit integer.
        epoch: From 0.

    Returns:
        int64, shape [N]: positions of pictures, N // K or one more of each class.

    Source:
        Class-aware sampling: Shen, Lin, Huang 2016, Relay Backpropagation for Effective Learning of
        Deep Convolutional Neural Networks, section 3.3; there the classes are dealt at random. What
        it does, and the correction: Buda, Maki, Mazurowski 2018, A systematic study of the class
        imbalance problem in convolutional neural networks, sections 2.1 and 2.2; Saerens, Latinne,
        Decaestecker 2002, Adjusting the Outputs of a Classifier to New a Priori Probabilities,
        equation 2.4.
    """
    num_images = len(labels_N)
    by_class = np.argsort(labels_N, kind="stable").astype(np.int64)
    ends = np.cumsum(np.bincount(labels_N, minlength=num_classes))
    drawn = [
        rows[_drawn(len(rows), seed=_seed_of_class(seed, number), places=places)]
        for number, rows in enumerate(np.split(by_class, ends[:-1]))
        for places in [_places(number, num_classes, num_images, epoch)]
    ]
    return np.concatenate(drawn)[epoch_order(num_images, seed, epoch)]


def _places(number: int, num_classes: int, num_images: int, epoch: int) -> range:
    """Return which places of a class, counted from the first epoch on, lie in an epoch."""
    first, behind = (
        math.ceil((num_images * one - number) / num_classes) for one in (epoch, epoch + 1)
    )
    return range(first, behind)


def _drawn(num_images: int, *, seed: int, places: range) -> npt.NDArray[np.int64]:
    """Return which of a class's pictures fill some of its places."""
    rounds = range(places.start // num_images, math.ceil(places.stop / num_images))
    orders = [epoch_order(num_images, seed, one) for one in rounds]
    skipped = places.start - rounds.start * num_images
    return np.concatenate([*orders, np.empty(0, np.int64)])[skipped : skipped + len(places)]


def _seed_of_class(seed: int, number: int) -> int:
    """Return a seed of a class's own, so that classes of one size are not read in one order."""
    return seed * 1_000_003 + number + 1
