import math

from imageloom.training.early_stop import EarlyStop


def after(losses):
    state = EarlyStop()
    for epoch, loss in enumerate(losses, start=1):
        state = state.after_epoch(epoch, loss)
    return state


def test_patience_counts_epochs_since_the_best_not_since_the_previous():
    # Each epoch after the first is better than the one before it, but not than the best (D2).
    state = after([1.0, 3.0, 2.5, 2.0])
    assert (state.best_epoch, state.epochs_since_best) == (1, 3)
    assert state.is_over(3)
    assert not state.is_over(4)


def test_f10_nan_and_infinity_never_count_as_progress():
    state = after([1.0, math.nan, math.nan])
    assert (state.best_epoch, state.epochs_since_best) == (1, 2)
    assert after([math.nan, math.inf]) == EarlyStop(epochs_since_best=2)
    assert after([math.nan, 5.0]).best_epoch == 2


def test_f13_of_equal_epochs_the_first_stays_the_best():
    state = after([1.0, 1.0])
    assert (state.best_epoch, state.best_loss) == (1, 1.0)
    assert state.is_over(1)
