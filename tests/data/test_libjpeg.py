import concurrent.futures
import subprocess

from imageloom.data.decoding import libjpeg
from imageloom.data.decoding.libjpeg import jpeg_warnings

from .made_pictures import jpeg


def test_a_whole_file_gives_no_warning():
    assert jpeg_warnings(jpeg()) == ((), ())


def test_warnings_are_told_apart_by_where_they_come_up():
    whole = jpeg()
    content = whole[:2] + b"junk" + whole[2:-40]
    assert jpeg_warnings(content) == (
        ("Corrupt JPEG data: 4 extraneous bytes before marker 0xe0",),
        ("Premature end of JPEG file", "Corrupt JPEG data: premature end of data segment"),
    )


def test_every_warning_is_heard_and_a_flood_is_cut_off():
    content = jpeg(height=400, width=400, restart_marker_blocks=1).replace(b"\xff\xd3", b"\xff\xd4")
    assert 2 < len(jpeg_warnings(content).scans) <= 16


def test_threads_hear_their_own_file_only():
    whole, cut = jpeg(height=200, width=200), jpeg(height=200, width=200)[:4000] + b"\xff\xd9"
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        found = list(threads.map(jpeg_warnings, [whole, cut] * 40))
    assert [len(one.scans) for one in found] == [0, 1] * 40


def test_a_pillow_that_hides_its_libjpeg_gives_none(monkeypatch):
    monkeypatch.setattr(libjpeg.PIL._imaging, "__file__", "/nowhere.so")
    libjpeg._library.cache_clear()
    try:
        assert jpeg_warnings(jpeg()) is None
    finally:
        libjpeg._library.cache_clear()


def test_markers_that_libjpeg_cannot_read_end_the_process_with_its_words(python):
    script = (
        "from imageloom.data.decoding.libjpeg import jpeg_warnings\n"
        "jpeg_warnings(b'\\xff\\xd8\\xff\\xd9')"
    )
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("libjpeg cannot go on: ")
