"""A trial stops alone or with all, and as hard as whoever asks more often."""

from imageloom.events import CancelToken
from imageloom.tuning.one_trial import TrialCancel


def test_a_trial_stops_alone():
    whole = CancelToken()
    one = TrialCancel(whole)
    one.set("hopeless")
    assert (one.is_set, one.asked, one.reason) == (True, 1, "hopeless")
    assert (whole.is_set, whole.asked) == (False, 0)


def test_a_trial_stops_with_all_at_once_where_all_are_asked_twice():
    whole = CancelToken()
    one = TrialCancel(whole)
    assert (one.is_set, one.asked) == (False, 0)
    whole.set("Ctrl+C")
    assert (one.is_set, one.asked) == (True, 1)
    whole.set("Ctrl+C")
    assert one.asked == 2
