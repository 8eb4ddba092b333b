"""The sentence that an epoch's times make."""

import pytest

from imageloom.data.loading.reading_times import PartClock, ReadingTimes
from imageloom.training.verdict import EpochTimes, Readers, cause_of_waits, verdict, words_of_waits
from imageloom.training.waits import judged

GPU = Readers(workers=2, cores=16, is_gpu=True)
CPU = Readers(workers=0, cores=2, is_gpu=False)
DECODING = ReadingTimes(files=1.0, decoding=8.0, operations=2.0)


def text_of(readers, *, steps=100.0, pictures=38.0, reading=DECODING):
    return verdict([EpochTimes(steps=steps, pictures=pictures, reading=reading)], readers).text


def test_waits_for_processes_that_decode_ask_for_more_of_them():
    assert text_of(GPU) == (
        "Waited 38 % of the time for pictures, mostly for decoding: use more --workers (now 2, "
        "with 16 cores), or use --picture-cache resized. See 'What limits the speed' in the guide "
        "to training."
    )


def test_where_all_cores_read_more_processes_are_not_asked_for():
    assert "use more cores (now 16, which all read), or" in text_of(
        Readers(workers=16, cores=16, is_gpu=True)
    )


def test_a_cache_that_is_there_is_not_advised():
    text = text_of(Readers(workers=2, cores=16, is_gpu=True, has_cache=True))
    assert "with 16 cores). See" in text
    assert "cache" not in text


def test_threads_read_and_do_not_wait():
    text = text_of(CPU, pictures=12.0)
    assert text.startswith(
        "Reading pictures took 12 % of the time, mostly decoding: use more cores"
    )
    assert "--workers" not in text


def test_a_process_that_reads_ahead_is_asked_for_where_a_gpu_waits_for_threads():
    assert "use more --workers (now 0, with 16 cores)" in text_of(
        Readers(workers=0, cores=16, is_gpu=True)
    )


def test_a_slow_disk_may_take_more_processes_than_cores():
    slow = ReadingTimes(files=10.0, decoding=1.0)
    assert "use more --workers than 2 cores: one that waits" in text_of(
        Readers(workers=2, cores=2, is_gpu=False), reading=slow
    )


@pytest.mark.parametrize(("waited", "limit"), [(9.9, "network"), (10.0, "decoding")])
def test_a_tenth_of_the_time_is_worth_saying(waited, limit):
    times = EpochTimes(steps=100.0, pictures=waited, reading=DECODING)
    assert verdict([times], GPU).limit == limit
    words = words_of_waits(times, GPU)
    assert words == "10% waiting for pictures" + (" (decoding)" if limit == "decoding" else "")


def test_what_many_did_before_does_not_hide_the_wait_for_their_start():
    # 16 processes decoded for 40 s, but of a wait of 10 s they were being started for 9.
    times = EpochTimes(steps=20.0, pictures=10.0, reading=ReadingTimes(decoding=40.0, starting=9.0))
    assert cause_of_waits(times) == "starting"


def test_one_that_the_others_wait_for_is_judged_by_its_own_times():
    fast = EpochTimes(steps=100.0, others=70.0)
    slow = EpochTimes(steps=100.0, others=1.0, pictures=80.0, reading=ReadingTimes(files=70.0))
    found = verdict([fast, slow, fast], GPU)
    assert found.limit == "others"
    assert "Up to 69 % of the time was spent waiting for rank 1. Waited 80 %" in found.text
    assert "reading files" in found.text


def test_where_all_wait_alike_it_is_the_exchange():
    found = verdict([EpochTimes(steps=100.0, others=others) for others in (30.0, 40.0)], GPU)
    assert found.limit == "exchange"
    assert "Exchanging gradients took 30 %" in found.text


def test_a_validation_that_takes_longer_than_training_is_the_limit():
    times = EpochTimes(steps=4.0, pictures=4.0, validation=6.0, reading=DECODING)
    found = verdict([times], GPU)
    assert (found.limit, found.text[:39]) == (
        "validation",
        "Validating took 60 % of the epoch: use ",
    )


def test_an_epoch_without_steps_is_judged_too():
    assert verdict([EpochTimes()], CPU).limit == "network"


def test_less_than_ten_seconds_say_nothing():
    assert judged([EpochTimes(steps=6.0, validation=3.9)], CPU) is None
    assert judged([EpochTimes(steps=6.1, validation=3.9), EpochTimes(steps=0.1)], CPU) is not None


def test_numbers_that_processes_exchange_hold_everything():
    times = EpochTimes(1, 2, 3, 4, ReadingTimes(5, 6, 7, 8, 9, 10, 11))
    assert EpochTimes.from_numbers(times.as_numbers()) == times
    assert (times + times).as_numbers() == [2 * number for number in range(1, 12)]


def test_every_second_of_a_clock_is_counted_to_the_part_that_ended(monkeypatch):
    now = iter([100.0, 101.0, 103.0, 107.0])
    monkeypatch.setattr("imageloom.data.loading.reading_times.time.perf_counter", lambda: next(now))
    clock = PartClock()
    for part in ("files", "decoding", "files"):
        clock.end(part)
    assert ReadingTimes.of([clock, clock]) == ReadingTimes(files=10.0, decoding=4.0)
