import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageloom.reports.charts.scale import epoch_scale, hides_most, log_scale, scale_for, tick_step


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


@pytest.mark.parametrize(
    ("values", "hides"),
    [
        ([99.8, 14.2, 0.17, 0.06, 0.05, 0.04], True),  # losses of a real training
        ([2.36, 0.82, 0.14, 0.06, 0.03, 0.04], True),
        ([2.3, 1.9, 1.6, 1.5, 1.4], False),
        ([20.0, 1.0, 1.0], False),  # exactly twenty times the middle one is still shown
        ([20.1, 1.0, 1.0], True),
        ([99.8, 0.1, 0.0], False),  # zero has no logarithm
        ([99.8, -0.1, 0.1], False),
        ([1.0], False),
    ],
)
def test_few_high_values_hide_the_rest_above_twenty_times_the_middle_one(values, hides):
    assert hides_most(values) is hides


def test_equal_ratios_have_equal_lengths_on_a_logarithmic_scale():
    scale = log_scale([0.02, 70], 400, 0, most_ticks=7)
    assert scale.ticks == (0.01, 0.1, 1.0, 10.0, 100.0)
    assert [scale(value) for value in scale.ticks] == pytest.approx([400, 300, 200, 100, 0])


def test_powers_of_ten_are_left_out_where_there_are_too_many():
    assert log_scale([1e-9, 1], 0, 100, most_ticks=4).ticks == pytest.approx((1e-9, 1e-6, 1e-3, 1))


@given(st.lists(st.floats(1e-12, 1e12), min_size=1), st.integers(2, 12))
def test_every_value_above_zero_lies_on_the_logarithmic_scale(values, most_ticks):
    scale = log_scale(values, 0, 100, most_ticks=most_ticks)
    assert all(-1e-6 <= scale(value) <= 100 + 1e-6 for value in values)
    assert 2 <= len(scale.ticks) <= most_ticks + 1
