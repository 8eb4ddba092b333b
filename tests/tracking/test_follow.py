"""A tracker gets all that lies in the files of a training, and nothing twice."""

import math

import pytest

from .conftest import ToySession


def test_what_was_told_is_not_told_again_also_by_another_process(training, teller_of):
    training.record()
    training.steps(1, 6)
    first, second = ToySession(), ToySession()
    teller_of(first).tell(training.files)
    training.steps(6, 9)
    teller_of(second).tell(training.files)
    assert first.of("step/Train loss") == [(step, 1 / step) for step in range(1, 6)]
    assert second.of("step/Train loss") == [(step, 1 / step) for step in range(6, 9)]
    assert first.of("Valid loss") == [(4, 10.0)]
    assert second.of("Valid loss") == [(8, 20.0)]
    assert [call[0] for call in second.calls] == ["scalars"]


def test_steps_that_a_resumed_training_does_again_are_told_once(training, teller_of):
    training.record()
    training.steps(1, 8)
    session = ToySession()
    teller = teller_of(session)
    teller.tell(training.files)
    training.cut(4, 1)  # the checkpoint knows 4 steps; 5 to 7 are made again
    teller.tell(training.files)
    training.steps(5, 10)
    teller.tell(training.files)
    assert [step for step, _ in session.of("step/Train loss")] == list(range(1, 10))
    assert [step for step, _ in session.of("Valid loss")] == [4, 8]


def test_a_loss_that_is_no_number_is_told_as_that(training, teller_of):
    training.record()
    training.steps(1, 3, loss=lambda step: math.nan if step == 1 else math.inf)
    session = ToySession()
    teller_of(session).tell(training.files)
    (_, first), (_, second) = session.of("step/Train loss")
    assert math.isnan(first)
    assert second == math.inf


@pytest.mark.parametrize("pieces", [[23], [1] * 23, [2, 3, 7, 11], [10, 13], [9, 1, 13]])
def test_of_many_steps_the_same_are_told_whenever_they_are_read(training, teller_of, pieces):
    training.record(print_frequency=5)
    session = ToySession()
    step = 1
    for length in pieces:
        training.steps(step, step + length)
        step += length
        teller_of(session).tell(training.files)
    assert [step for step, _ in session.of("step/Train loss")] == [1, 5, 10, 15, 20]
    assert [step for step, _ in session.of("Valid loss")] == [4, 8, 12, 16, 20]


def test_curves_of_epochs_have_the_names_that_users_know_and_ranks_their_own(training, teller_of):
    training.record()
    training.steps(1, 5)
    training.steps(1, 5, rank=1)
    session = ToySession()
    teller_of(session).tell(training.files)
    assert {point.name for point in session.points} == {
        *("Train loss", "Valid loss", "learning rate", "step/Train loss"),
        *("rank 1/Train loss", "rank 1/Valid loss", "rank 1/learning rate"),
        "step/rank 1/Train loss",
    }


def test_no_call_has_more_than_a_thousand_values(training, teller_of):
    training.record()
    training.steps(1, 2001)
    session = ToySession()
    teller_of(session).tell(training.files)
    sizes = [call[1] for call in session.calls if call[0] == "scalars"]
    # 2,000 losses, 2,000 rates, and 500 epochs with two values.
    assert sum(sizes) == 5000
    assert max(sizes) <= 1000


@pytest.mark.parametrize("fails_after", range(7))
def test_a_tracker_that_fails_anywhere_gets_the_rest_later_and_nothing_twice(
    training, teller_of, fails_after
):
    training.record("completed")
    training.steps(1, 1201)
    training.publish()
    broken, whole = ToySession(fails_after=fails_after), ToySession()
    with pytest.raises(ConnectionError, match="nobody answers"):
        teller_of(broken).tell(training.files)
    teller_of(whole).tell(training.files)
    # As calls of one that never failed: 2,400 values of steps, 600 of epochs.
    assert sum(call == ("file", "model") for call in broken.calls + whole.calls) == 1
    told = broken.points + whole.points
    assert len(told) == len({(point.name, point.step) for point in told}) == 3000


def test_parameters_are_told_once_under_flat_names(training, teller_of):
    network = {"architecture": {"variant": "resnet18", "options": {"stem": "small"}}}
    pictures = {"training": {"images": 244, "classes": ["ants", "bees"], "root": "/private"}}
    training.record(model=network, data=pictures, processes=2, versions={"torch": "2.15.0"})
    session = ToySession()
    for _ in range(2):
        teller_of(session).tell(training.files)
    ((_, values),) = [call for call in session.calls if call[0] == "parameters"]
    assert values == {
        "epochs": 3,
        "batch_size": 16,
        "print_frequency": 1,
        "processes": 2,
        "network.variant": "resnet18",
        "network.options.stem": "small",
        "training.images": 244,
        "training.classes": 2,
        "versions.torch": "2.15.0",
    }


def test_files_and_figures_are_told_at_the_end_and_again_only_when_they_changed(
    training, teller_of
):
    training.record()
    training.steps(1, 5)
    training.publish()
    session = ToySession()
    teller = teller_of(session)
    teller.tell(training.files)
    assert session.told == [("state", "running")]
    figures = {"Overall_Accuracy": 0.75, "Valid loss": 10.0, "Log_Loss": None}
    training.record("completed", metrics=figures)
    for _ in range(2):
        teller.tell(training.files)
    assert session.told[1:] == [("file", "report.html"), ("file", "model"), ("state", "completed")]
    assert session.of("Overall_Accuracy") == [(4, 0.75)]
    assert session.of("Valid loss") == [(4, 10.0)]  # the curve, not the figure of its name
    training.files.report.write_text("<p>another</p>")
    teller.tell(training.files)
    assert session.told[4:] == [("file", "report.html")]


def test_a_training_that_was_stopped_and_goes_on_says_so(training, teller_of):
    session = ToySession()
    teller = teller_of(session)
    for state in ("running", "interrupted", "running", "completed"):
        training.record(state)
        teller.tell(training.files)
    assert [call[1] for call in session.told] == ["running", "interrupted", "running", "completed"]


def test_a_tracker_that_has_things_only_once_it_is_closed_is_told_again_without(
    training, teller_of
):
    training.record()
    training.steps(1, 5)
    lost, closed, third = (ToySession(is_safe_at_close=True) for _ in range(3))
    teller_of(lost).tell(training.files)  # and killed before it was closed
    teller = teller_of(closed)
    teller.tell(training.files)
    teller.close()
    teller_of(third).tell(training.files)
    assert closed.points == lost.points
    assert not third.points


def test_another_kind_of_record_is_read_as_far_as_it_goes(training, teller_of):
    training.path.mkdir()
    training.files.record.write_text('{"state": "who knows", "asked": [], "metrics": "none"}')
    session = ToySession()
    teller_of(session).tell(training.files)
    assert session.told == [("state", "running")]


def test_a_tracker_is_not_opened_when_there_is_nothing_to_tell(training, teller_of):
    training.record()
    training.steps(1, 5)
    teller_of(ToySession()).tell(training.files)
    unopened = ToySession()
    teller = teller_of(unopened)
    teller.tell(training.files)
    teller.close()
    assert unopened.calls == []
