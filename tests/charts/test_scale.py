import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageloom.charts.scale import epoch_scale, scale_for, tick_step


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.13, 0.78], (0.0, 0.2, 0.4, 0.6, 0.8)),
        ([31, 34], (31.0, 32.0, 33.0, 34.0)),
        ([-3, 2], (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0)),
    ],
)
def test_ticks_are_round_and_hold_all_values(values, ticks):
    assert scale_for(values, 0, 100, most_ticks=7).ticks == ticks


def test_a_scale_can_begin_at_zero():
    assert scale_for([31, 34], 0, 100, most_ticks=7, from_zero=True).ticks[0] == 0


def test_values_are_placed_between_the_ends():
    scale = scale_for([0, 10], 300, 0, most_ticks=7)
    assert [scale(value) for value in (0, 5, 10)] == [300, 150, 0]


@given(
    st.lists(st.floats(-1e12, 1e12).map(lambda x: 0.0 if abs(x) < 1e-9 else x), min_size=1),
    st.integers(2, 12),
    st.booleans(),
)
def test_every_value_lies_on_the_scale_whatever_the_values(values, most_ticks, from_zero):
    scale = scale_for(values, 0, 100, most_ticks=most_ticks, from_zero=from_zero)
    assert scale.low < scale.high
    assert all(-1e-6 <= scale(value) <= 100 + 1e-6 for value in values)
    assert len(scale.ticks) <= most_ticks + 2


def test_a_single_epoch_stands_in_the_middle():
    scale = epoch_scale([3, 3], 0, 100)
    assert (scale(3), scale.ticks) == (50, (3.0,))


def test_epochs_have_whole_ticks():
    assert epoch_scale([0.1, 50], 0, 100).ticks == (10.0, 20.0, 30.0, 40.0, 50.0)
    assert epoch_scale([0.1, 4], 0, 100).ticks == (1.0, 2.0, 3.0, 4.0)


def test_steps_are_one_two_and_a_half_or_five_times_a_power_of_ten():
    assert [tick_step(span, 5) for span in (5, 7, 12, 25, 60)] == [1, 2, 2.5, 5, 20]
