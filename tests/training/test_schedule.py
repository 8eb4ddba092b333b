import pytest

from imageloom.errors import LessThanOrEqualToError
from imageloom.training.schedule import make_schedule


def test_rates_follow_the_formula_by_hand():
    schedule = make_schedule(peak=0.1, epochs=3, warmup_epochs=1, steps_per_epoch=4)
    rates = [schedule.rate(step) for step in range(12)]
    # Warm-up: 1e-4 + (0.1 - 1e-4) * k / 4.
    assert rates[:4] == pytest.approx([0.0001, 0.025075, 0.05005, 0.075025])
    # Decay: (0.1 - 1e-7) * (1 - k/8)^2 + 1e-7.
    expected = [(0.1 - 1e-7) * (1 - k / 8) ** 2 + 1e-7 for k in range(8)]
    assert rates[4:] == pytest.approx(expected)
    assert rates[4] == 0.1


def test_fractions_of_a_warmup_epoch_count():
    schedule = make_schedule(peak=0.1, epochs=2, warmup_epochs=0.5, steps_per_epoch=10)
    assert schedule.warmup_steps == 5
    assert schedule.rate(5) == 0.1


@pytest.mark.parametrize("warmup_epochs", [0, 0.01, 2.999, 3])
def test_f03_every_warmup_up_to_the_epochs_works_to_the_last_step(warmup_epochs):
    schedule = make_schedule(peak=0.01, epochs=3, warmup_epochs=warmup_epochs, steps_per_epoch=7)
    rates = [schedule.rate(step) for step in range(21)]
    assert all(0 < rate <= 0.01 for rate in rates)


def test_f03_a_warmup_longer_than_the_run_is_refused_with_both_numbers():
    with pytest.raises(LessThanOrEqualToError, match=r"warmup_epochs is 3.5, but .* 3 epochs"):
        make_schedule(peak=0.01, epochs=3, warmup_epochs=3.5, steps_per_epoch=7)


def test_f02_the_smallest_rate_never_rises_above_itself():
    schedule = make_schedule(peak=2.2e-16, epochs=2, warmup_epochs=1, steps_per_epoch=3)
    assert {schedule.rate(step) for step in range(6)} == {2.2e-16}
