import pytest
import torch

from imageloom.errors import LessThanOrEqualToError
from imageloom.training.params import TrainParams
from imageloom.training.schedule import FLOOR, make_schedule


def scheduled(peak, steps_per_epoch, **params):
    return make_schedule(TrainParams(**params), peak=peak, steps_per_epoch=steps_per_epoch)


def test_rates_follow_the_formula_by_hand():
    schedule = scheduled(0.1, 4, epochs=3, warmup_epochs=1)
    rates = [schedule.rate(step) for step in range(12)]
    # Warm-up: 1e-4 + (0.1 - 1e-4) * k / 4.
    assert rates[:4] == pytest.approx([0.0001, 0.025075, 0.05005, 0.075025])
    # Decay: (0.1 - 1e-7) * (1 - k/8)^2 + 1e-7.
    expected = [(0.1 - 1e-7) * (1 - k / 8) ** 2 + 1e-7 for k in range(8)]
    assert rates[4:] == pytest.approx(expected)
    assert rates[4] == 0.1


def test_fractions_of_a_warmup_epoch_count():
    schedule = scheduled(0.1, 10, epochs=2, warmup_epochs=0.5)
    assert schedule.warmup_steps == 5
    assert schedule.rate(5) == 0.1


@pytest.mark.parametrize("warmup_epochs", [0, 0.01, 2.999, 3])
def test_f03_every_warmup_up_to_the_epochs_works_to_the_last_step(warmup_epochs):
    schedule = scheduled(0.01, 7, epochs=3, warmup_epochs=warmup_epochs)
    rates = [schedule.rate(step) for step in range(21)]
    assert all(0 < rate <= 0.01 for rate in rates)


def test_f03_a_warmup_longer_than_the_run_is_refused_with_both_numbers():
    with pytest.raises(LessThanOrEqualToError, match=r"warmup_epochs is 3.5, but .* 3 epochs"):
        scheduled(0.01, 7, epochs=3, warmup_epochs=3.5)


def test_f02_the_smallest_rate_never_rises_above_itself():
    schedule = scheduled(2.2e-16, 3, epochs=2, warmup_epochs=1)
    assert {schedule.rate(step) for step in range(6)} == {2.2e-16}


def test_the_cosine_is_that_of_torch():
    schedule = scheduled(0.1, 10, epochs=3, warmup_epochs=1, learning_rate_decay="cosine")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20, eta_min=FLOOR)
    for step in range(10, 30):
        assert schedule.rate(step) == pytest.approx(cosine.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        cosine.step()
    flat = scheduled(0.1, 10, epochs=3, warmup_epochs=1)
    assert [schedule.rate(step) for step in range(10)] == [flat.rate(step) for step in range(10)]
