"""A log that floods the disk is cut, and keeps its beginning and its end."""

from imageloom.pipeline.run.job_log import shorten_log


def test_a_log_of_ordinary_size_stays(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"x" * 1000)
    shorten_log(log, limit_bytes=1000)
    assert log.read_bytes() == b"x" * 1000


def test_a_log_that_is_not_there_yet_is_no_problem(tmp_path):
    shorten_log(tmp_path / "log.txt", limit_bytes=1000)
    assert not (tmp_path / "log.txt").exists()


def test_i18_who_writes_on_does_not_notice_and_what_comes_last_is_there(tmp_path):
    log = tmp_path / "log.txt"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"first\n")
        for number in range(50):
            writer.write(b"%02d" % number * 500)
            shorten_log(log, limit_bytes=10_000)
        writer.write(b"last words\n")
    text = log.read_bytes()
    assert text.startswith(b"first\n00")
    assert text.endswith(b"last words\n")
    assert text.count(b"lines are left out here") == 1
    assert len(text) <= 10_000 + 1_000
