"""Too few steps leave BatchNorm's statistics near what they began with, and that is said."""

import pytest
import torch
from networks import TINY
from torch import nn

from imageloom.launch.train import train
from imageloom.training.few_steps import initial_fraction
from imageloom.training.params import TrainParams


def test_what_is_left_of_the_beginning_is_what_torch_leaves():
    layer = nn.BatchNorm1d(1)
    with torch.no_grad():
        for _ in range(5):
            layer(torch.full((4, 1), 2.0))  # variance 0
    assert initial_fraction(layer, 5) == pytest.approx(float(layer.running_var))
    assert initial_fraction(layer, 5) == pytest.approx(0.59049)


def test_a_frozen_one_and_a_plain_mean_keep_nothing_of_note():
    frozen = nn.BatchNorm1d(1).eval()
    mean = nn.BatchNorm1d(1, momentum=None)
    without = nn.BatchNorm1d(1, track_running_stats=False)
    assert [initial_fraction(one, 1) for one in (frozen, mean, without, nn.ReLU())] == [0.0] * 4


@pytest.mark.slow
def test_it_is_said_at_the_start_and_in_the_report(make_pictures, tmp_path):
    params = TrainParams(epochs=1, batch_size=8, workers=0, precision="float32", device="cpu")
    heard = []
    pictures = make_pictures(per_class=4), make_pictures(per_class=2, seed=1)
    result = train(TINY, *pictures, tmp_path / "run", params=params, on_event=heard.append)
    said = [one.message for one in heard if "BatchNorm" in getattr(one, "message", "")]
    # 12 pictures in batches of 8 make 2 steps: 0.9 ** 2.
    assert len(said) == 1
    assert said[0].startswith(
        "2 steps in 1 epoch are too few for BatchNorm: 81 % of its statistics"
    )
    assert "--batch-size" in said[0]
    assert len(said[0]) < 240  # two lines of a terminal
    assert "Too few steps for BatchNorm" in result.report.read_text(encoding="utf-8")
