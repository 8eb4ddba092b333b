"""Epochs in which every class comes equally often."""

import numpy as np
import pytest
from networks import TINY

from imageloom.errors import ParameterParsingError
from imageloom.events import Control
from imageloom.models.params import ModelParams
from imageloom.training.params import TrainParams
from imageloom.training.prepare import find_model, make_plan
from imageloom.training.sampling import epoch_text, order_of_epoch

BALANCED = TrainParams(sampling="balanced", batch_size=4)


def uneven(make_pictures, green):
    """Return 8 red pictures and a few green ones."""
    images = make_pictures(per_class=8, classes=("red", "green"))
    return images.select(np.arange(8 + green))


def test_a_shuffled_epoch_has_each_picture_once_and_a_balanced_one_as_many(make_pictures):
    images = uneven(make_pictures, green=2)
    shuffled = order_of_epoch(images, TrainParams(), 0)
    assert sorted(shuffled) == list(range(10))
    balanced = order_of_epoch(images, BALANCED, 0)
    assert np.bincount(images.labels[balanced]).tolist() == [5, 5]


def test_what_an_epoch_holds_is_said_in_numbers(make_pictures):
    images = uneven(make_pictures, green=2)
    assert epoch_text(images, TrainParams()) == ""
    assert epoch_text(images, BALANCED) == (
        "Balanced sampling: an epoch reads 10 pictures, 5 of each of 2 classes. Of 'green', "
        "which has 2, each comes 2.5 times; of 'red', which has 8, 62.5 % come. Validation reads "
        "each of its pictures once."
    )


def test_balancing_twice_is_refused_before_there_is_a_run(make_pictures):
    images = make_pictures(per_class=4)
    model = find_model(TINY, ModelParams(), Control())
    with pytest.raises(ParameterParsingError, match=r"sampling and class_weights are both"):
        make_plan(model, images, images, BALANCED.replace(class_weights="balanced"))
