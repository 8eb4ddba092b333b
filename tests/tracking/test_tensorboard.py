"""TensorBoard reads what was written, as its own reader tells."""

import math

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from imageloom.tracking.choose import chosen_trackers
from imageloom.tracking.follow import Teller
from imageloom.tracking.position import position_file, read_position

TENSORBOARD = chosen_trackers(["tensorboard"])[0]


def opened(training):
    """Open the tracker where it was left, as its process does."""
    file = position_file(training.path, "tensorboard")
    position = read_position(file)
    run = training.tracked.as_run(position.id)
    return Teller(lambda: TENSORBOARD.open(run, position.memory, {}), position, file)


def told(training):
    teller = opened(training)
    teller.tell(training.files)
    teller.close()


@pytest.fixture
def reader(training):
    """Return a function that reads all that TensorBoard would show."""

    def read():
        guidance = {"scalars": 0, "tensors": 0}
        accumulator = EventAccumulator(str(training.path / "tensorboard"), guidance)
        accumulator.Reload()
        return accumulator

    return read


def scalars(reader, tag):
    return [(event.step, event.value) for event in reader().Scalars(tag)]


def texts(reader, tag):
    return [event.tensor_proto.string_val[0].decode() for event in reader().Tensors(tag)]


def test_values_have_their_steps_and_the_times_at_which_they_were_measured(training, reader):
    training.record()
    training.steps(1, 5)
    told(training)
    training.steps(5, 9)
    told(training)
    assert [step for step, _ in scalars(reader, "step/Train loss")] == list(range(1, 9))
    assert scalars(reader, "Valid loss") == [(4, 10.0), (8, 20.0)]
    curve = next(one for one in training.files.series.rglob("step-train-loss.rows"))
    first = reader().Scalars("step/Train loss")[0]
    assert curve.stat().st_size == 8 * 32
    assert abs(first.wall_time - curve.stat().st_mtime) < 60


def test_what_a_killed_process_wrote_and_did_not_note_stands_once(training, reader):
    training.record()
    training.steps(1, 5)
    told(training)
    file = position_file(training.path, "tensorboard")
    noted = file.read_bytes()
    training.steps(5, 9)
    told(training)
    file.write_bytes(noted)  # as if it had been killed between the two
    told(training)
    assert [step for step, _ in scalars(reader, "step/Train loss")] == list(range(1, 9))
    assert len(list((training.path / "tensorboard").iterdir())) == 1


def test_half_a_record_at_the_end_is_cut_away(training, reader):
    training.record()
    training.steps(1, 5)
    told(training)
    (file,) = (training.path / "tensorboard").iterdir()
    file.write_bytes(file.read_bytes() + b"\x18\x00\x00")
    training.steps(5, 9)
    told(training)
    assert [step for step, _ in scalars(reader, "step/Train loss")] == list(range(1, 9))


def test_a_loss_that_is_no_number_stays_one(training, reader):
    training.record()
    training.steps(1, 2, loss=lambda _: math.nan)
    told(training)
    ((step, value),) = scalars(reader, "step/Train loss")
    assert step == 1
    assert math.isnan(value)


def test_parameters_and_the_places_of_report_and_model_are_texts(training, reader):
    network = {"architecture": {"variant": "a|b", "options": {"sizes": [1, None]}}}
    training.record("completed", model=network)
    training.publish()
    told(training)
    rows = texts(reader, "parameters")[0].splitlines()
    assert "| batch_size | 16 |" in rows
    assert "| network.variant | a\\|b |" in rows
    assert "| network.options.sizes | [1, null] |" in rows
    assert texts(reader, "report.html") == [f"`{training.files.report}`"]
    assert texts(reader, "model") == [f"`{training.files.model}`"]
    assert texts(reader, "state") == ["completed"]
    assert "_hparams_/session_start_info" in reader().Tags()["tensors"]
