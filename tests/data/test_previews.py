"""Thumbnails and descriptions, asked of a real process that may be killed."""

import contextlib
import io
import itertools
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from imageloom.data.convert import convert
from imageloom.data.params import ConvertParams
from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.client import PictureHelper
from imageloom.data.previews.describe import Wanted, describe
from imageloom.data.previews.opened import OpenedDirectories
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import Thumbnails
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    ParameterParsingError,
    TimeoutOccuredError,
    WorkerLostError,
)

pytestmark = pytest.mark.processes


def jpeg(size=(300, 200), colour=(200, 30, 30), **more):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", quality=95, **more)
    return buffer.getvalue()


_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where all tests of this file have what may be shown, each in a folder of its own."""
    return tmp_path_factory.mktemp("previews")


@pytest.fixture
def photos(place):
    own = f"{next(_NUMBERS)}"  # in the files, too: a thumbnail is kept by what its picture holds
    folder = place / "data" / own / "photos"
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        (folder / name).mkdir(parents=True)
        for number in range(4):
            content = jpeg((300, 200 + number), colour, comment=own)
            (folder / name / f"{number}.jpg").write_bytes(content)
    return folder


def picture_helper(cache, place):
    roots = [place / "data", place / "store"]
    return PictureHelper(cache, looks=cache / "looks.sqlite", roots=roots)


@pytest.fixture(scope="module")
def shared_helper(place):
    """One for all tests that neither end its process nor look into its cache."""
    with contextlib.closing(picture_helper(place / "cache", place)) as helper:
        yield helper


@pytest.fixture
def helper(place, tmp_path):
    """One of the test's own."""
    with contextlib.closing(picture_helper(tmp_path / "cache", place)) as helper:
        yield helper


def pid_of(helper):
    (process,) = helper.pool.running
    return process.pid


def test_a_thumbnail_is_a_small_jpeg_named_by_the_digest_of_the_picture(helper, photos):
    place = helper.thumbnail(photos, "red/0.jpg", 96)
    digest = place.name.removesuffix("-96.jpg")
    assert helper.find_thumbnail(digest, 96) == place
    assert helper.find_thumbnail(digest, 240) is None
    assert helper.find_thumbnail("../" * 20 + "abcd", 96) is None
    with Image.open(place) as small:
        assert (small.format, small.size) == ("JPEG", (96, 64))
        assert np.allclose(np.asarray(small).mean(axis=(0, 1)), (200, 30, 30), atol=3)


def test_a_small_picture_is_not_made_larger(shared_helper, photos):
    (photos / "tiny.png").write_bytes(b"")
    Image.new("L", (32, 20)).save(photos / "tiny.png")
    with Image.open(shared_helper.thumbnail(photos, "tiny.png", 240)) as small:
        assert small.size == (32, 20)


def test_exif_orientation_is_applied_and_nothing_of_the_file_is_taken_over(shared_helper, photos):
    exif = Image.Exif()
    exif[0x0112] = 6  # seen after a quarter turn clockwise
    exif[0x010E] = "<script>alert(1)</script>"
    (photos / "turned.jpg").write_bytes(jpeg((200, 100), exif=exif, comment=b"<script>"))
    place = shared_helper.thumbnail(photos, "turned.jpg", 240)
    with Image.open(place) as small:
        assert small.size == (100, 200)
        assert not small.getexif()
    assert b"script" not in place.read_bytes()


def test_s06_no_part_of_the_way_may_be_a_link(helper, photos, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "0.jpg").write_bytes(jpeg())
    (photos / "file.jpg").symlink_to(tmp_path / "secret" / "0.jpg")
    (photos / "folder").symlink_to(tmp_path / "secret")
    (photos.parent / "way").symlink_to(tmp_path / "secret")
    os.mkfifo(photos / "pipe.jpg")
    for folder, file in (
        (photos, "file.jpg"),
        (photos, "folder/0.jpg"),
        (photos.parent / "way", "0.jpg"),
        (photos, "pipe.jpg"),
    ):
        with pytest.raises(CouldNotOpenFileError, match="cannot be shown") as caught:
            helper.thumbnail(folder, file)
        assert caught.value.reason == "not-a-plain-file"
    assert not list((tmp_path / "cache" / "thumbnails").iterdir())


@pytest.mark.parametrize(
    "file", ["../../secret.jpg", "/etc/passwd", "a/../b", ".", "", "red", "a\0b", "red//0.jpg"]
)
def test_s01_no_name_leads_out(shared_helper, photos, file):
    with pytest.raises(CouldNotOpenFileError, match="cannot be shown"):
        shared_helper.thumbnail(photos, file)


def test_s01_a_folder_beside_the_roots_is_not_shown(helper, photos, place):
    (place / "data-evil").mkdir()
    (place / "data-evil" / "0.jpg").write_bytes(jpeg())
    for folder in (place / "data-evil", place / "data" / ".." / "data-evil", place):
        with pytest.raises(CouldNotOpenFileError, match="lies outside the folders"):
            helper.thumbnail(folder, "0.jpg")
        with pytest.raises(CouldNotOpenFileError, match="lies outside the folders"):
            helper.describe(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.jpg is empty"),
        (b"<html></html>", "x.jpg is an HTML page"),
        (b"GIF89a" + bytes(50), "format GIF, which is not accepted"),
        (jpeg()[:900], r"x\.jpg "),
        (b"P6 30000 30000 255\n", "more pixels than the limit"),
    ],
)
def test_what_is_no_picture_is_a_named_error_and_the_process_goes_on(
    shared_helper, photos, content, message
):
    (photos / "x.jpg").write_bytes(content)
    shared_helper.thumbnail(photos, "red/0.jpg")
    before = pid_of(shared_helper)
    with pytest.raises(InvalidDatasetError, match=message) as caught:
        shared_helper.thumbnail(photos, "x.jpg")
    assert caught.value.reason == "unreadable-picture"
    shared_helper.thumbnail(photos, "red/1.jpg")
    assert pid_of(shared_helper) == before


def test_a_size_that_is_not_kept_is_refused(shared_helper, photos):
    with pytest.raises(ParameterParsingError, match="size is 97, but must be one of 96"):
        shared_helper.thumbnail(photos, "red/0.jpg", 97)


def test_a_process_that_was_killed_is_started_again(helper, photos):
    helper.thumbnail(photos, "red/0.jpg")
    first = pid_of(helper)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert helper.thumbnail(photos, "red/1.jpg").is_file()
    assert pid_of(helper) != first


def test_one_that_is_killed_at_work_costs_one_call(helper, photos):
    helper.thumbnail(photos, "red/0.jpg")
    first = pid_of(helper)
    os.kill(first, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
    with pytest.raises(WorkerLostError, match="ended with signal 9 at its work"):
        helper.thumbnail(photos, "red/1.jpg")
    assert helper.thumbnail(photos, "red/1.jpg").is_file()


def test_one_that_hangs_is_ended_and_the_next_call_is_answered(helper, photos):
    helper.thumbnail(photos, "red/0.jpg")
    os.kill(pid_of(helper), signal.SIGSTOP)
    with pytest.raises(TimeoutOccuredError, match="did not finish its work in time") as caught:
        helper.thumbnail(photos, "red/1.jpg", timeout_s=0.2)
    assert caught.value.reason == "preview-timeout"
    assert helper.thumbnail(photos, "red/1.jpg").is_file()


def test_many_threads_are_answered_each_with_its_own(shared_helper, photos):
    found = {}

    def ask(name):
        found[name] = shared_helper.thumbnail(photos, name, timeout_s=60)

    names = [f"{label}/{number}.jpg" for label in ("red", "blue") for number in range(4)]
    threads = [threading.Thread(target=ask, args=(name,)) for name in names * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: shared_helper.thumbnail(photos, name) for name in names}
    assert len(set(found.values())) == len(names)


def test_all_busy_is_said_when_the_time_is_over(helper, photos):
    helper.thumbnail(photos, "red/0.jpg")
    taken = helper.pool._free.get()
    with pytest.raises(TimeoutOccuredError, match="All 1 preview processes were busy"):
        helper.thumbnail(photos, "red/0.jpg", timeout_s=0.05)
    helper.pool._free.put(taken)


def test_closing_ends_the_process_and_refuses_more(helper, photos):
    helper.thumbnail(photos, "red/0.jpg")
    pid = pid_of(helper)
    helper.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(WorkerLostError, match="not there any more"):
        helper.thumbnail(photos, "red/0.jpg")


def test_it_ends_with_its_parent_and_loads_nothing_heavy_there(photos, tmp_path):
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from imageloom.data.previews.client import PictureHelper\n"
        f"place = Path({str(tmp_path)!r})\n"
        "helper = PictureHelper(place / 'cache', looks=place / 'looks.sqlite')\n"
        f"helper.thumbnail(Path({str(photos)!r}), 'red/0.jpg')\n"
        "heavy = {'numpy', 'PIL', 'pyarrow', 'torch', 'torchvision'} & set(sys.modules)\n"
        "(process,) = helper.pool.running\n"
        "print(sorted(heavy), process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    heavy, _, pid = done.stdout.strip().rpartition(" ")
    assert heavy == "[]"
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        bell = os.pidfd_open(int(pid))
        ended, _, _ = select.select([bell], [], [], 30)
        os.close(bell)
        assert ended, "it still runs 30 s after its parent"


def test_what_a_dead_process_was_at_is_cleared_away(helper, photos, tmp_path):
    helper.thumbnail(photos, "red/0.jpg")
    pid = pid_of(helper)
    (left,) = (tmp_path / "cache" / "scratch").iterdir()
    (left / "unpacked").mkdir()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    helper.thumbnail(photos, "red/1.jpg")
    (now,) = (tmp_path / "cache" / "scratch").iterdir()
    assert now != left


def test_a_folder_is_described_before_it_is_converted(shared_helper, photos):
    (photos / "red" / "z.jpg").write_bytes(b"no picture")
    (photos / "loose.jpg").write_bytes(jpeg())
    (photos / ".DS_Store").write_bytes(b"x")
    found = shared_helper.describe(photos, samples=5)
    assert (found.kind, found.root, found.images) == ("folder", str(photos), 8)
    assert [(one.name, one.images) for one in found.classes] == [("blue", 4), ("red", 4)]
    assert [one.file for one in found.classes[1].samples] == [
        f"red/{number}.jpg" for number in range(4)
    ]
    assert all(shared_helper.path(one.thumbnail).is_file() for one in found.classes[1].samples)
    assert (found.files, found.headers_read, found.is_decoded) == (9, 9, False)
    loose, text = (
        "lies beside the class folders, so it has no class",
        "is a text file, not a picture",
    )
    assert (found.left_out, found.left_out_reasons) == (2, {loose: 1, text: 1})
    page = shared_helper.left_out(photos)
    assert ([(one.file, one.reason) for one in page.rows], page.total) == (
        [("loose.jpg", loose), ("red/z.jpg", text)],
        2,
    )
    assert any(".DS_Store" in notice for notice in found.notices)


def test_the_header_tells_what_no_decoder_would_take(shared_helper, photos):
    (photos / "red" / "gif.jpg").write_bytes(b"GIF89a" + bytes(50))
    (photos / "red" / "huge.ppm").write_bytes(b"P6 30000 30000 255\n")
    (photos / "red" / "empty.png").write_bytes(b"")
    (photos / "blue" / "0.jpg").write_bytes(jpeg((300, 200))[:900])  # whole but for its pixels
    found = shared_helper.describe(photos, samples=1)
    assert [(one.name, one.images) for one in found.classes] == [("blue", 3), ("red", 4)]
    (cut,) = found.classes[0].samples  # it was decoded, so that is known
    assert cut.thumbnail is None
    assert [one.file for one in shared_helper.left_out(photos).rows] == [
        "blue/0.jpg",
        "red/empty.png",
        "red/gif.jpg",
        "red/huge.ppm",
    ]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_conversion_fails_just_where_the_description_says_so(
    shared_helper, photos, tmp_path, broken
):
    """100 pictures: one that is left out is 1 %, which is allowed; two are more."""
    for number in range(4, 96):
        (photos / "red" / f"{number}.png").write_bytes(jpeg((20, 20), (number, 0, 0)))
    for number in range(broken):
        (photos / "red" / f"{number}.jpg").write_bytes(b"no picture")
    losses = shared_helper.describe(photos).losses
    assert (losses.lost, losses.pictures, losses.most_fraction) == (broken, 100, 0.01)
    assert losses.is_refused == (broken == 2)
    if losses.is_refused:
        with pytest.raises(InvalidDatasetError, match="2 of 100 pictures"):
            convert(photos, tmp_path / "out")
        assert losses.enough_fraction == 0.02
    allowed = ConvertParams(max_rejected_fraction=losses.enough_fraction)
    assert len(convert(photos, tmp_path / "images", params=allowed)) == 100 - broken


def test_a_class_that_would_lose_all_its_pictures_is_named(shared_helper, photos, tmp_path):
    for file in (photos / "blue").iterdir():
        file.write_bytes(b"no picture")
    losses = shared_helper.describe(photos).losses
    assert (losses.is_refused, losses.emptied, losses.enough_fraction) == (True, ("blue",), 0.0)
    with pytest.raises(InvalidDatasetError, match=r"'blue'.* has no usable image"):
        convert(photos, tmp_path / "out")


def test_files_that_are_left_out_are_listed_by_pages(helper, photos):
    for number in range(25):
        (photos / "red" / f"x{number:02}.jpg").write_bytes(b"no picture")
    names = [f"red/x{number:02}.jpg" for number in range(25)]
    pages = [helper.left_out(photos, offset=offset, limit=10) for offset in (0, 10, 20, 30)]
    assert [one.file for page in pages for one in page.rows] == names
    assert {page.total for page in pages} == {25}
    helper.describe(photos)
    before = pid_of(helper)
    (photos / "red" / "x00.jpg").unlink()
    assert helper.left_out(photos).total == 25  # as it was described, until somebody looks again
    os.kill(before, signal.SIGKILL)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert helper.left_out(photos).total == 24


def test_what_there_was_no_time_to_look_at_is_said(photos, tmp_path):
    (photos / "red" / "z.jpg").write_bytes(b"no picture")
    cache = ThumbnailCache(tmp_path / "cache")
    cache.prepare()
    wanted = Wanted(ConvertParams(), samples=1, size=96, look_s=0)
    thumbnails = Thumbnails(cache, Reach(roots=()))
    found = describe(str(photos), wanted, thumbnails, OpenedDirectories()).description
    assert (found.headers_read, found.files, found.images, found.left_out) == (0, 9, 9, 0)


def test_an_archive_is_described_like_its_folder_and_leaves_nothing(helper, photos, tmp_path):
    archive = photos.parent / "photos.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(photos.rglob("*.jpg")):
            packed.write(file, file.relative_to(photos.parent))
    found = helper.describe(archive)
    assert (found.kind, found.root) == ("archive", "")
    assert found.classes == helper.describe(photos).classes
    (scratch,) = (tmp_path / "cache" / "scratch").iterdir()
    assert not list(scratch.iterdir())


def test_what_cannot_be_converted_is_told_in_the_words_of_a_conversion(
    shared_helper, photos, tmp_path
):
    (photos / "red" / "inner").mkdir()
    (photos / "red" / "inner" / "1.jpg").write_bytes(jpeg())
    with pytest.raises(InvalidDatasetError) as expected:
        convert(photos, tmp_path / "out")
    with pytest.raises(InvalidDatasetError) as caught:
        shared_helper.describe(photos)
    assert (caught.value.message, caught.value.hint) == (
        expected.value.message,
        expected.value.hint,
    )
    joined = shared_helper.describe(photos, params={"nested": "join"})
    assert "red/inner" in [one.name for one in joined.classes]


def test_links_are_not_followed_where_only_some_folders_are_shown(shared_helper, photos):
    with pytest.raises(CouldNotOpenFileError, match="Links are not followed here"):
        shared_helper.describe(photos, params={"follow_links": True})


@pytest.fixture
def images(place, photos):
    (photos / "red" / "z.jpg").write_bytes(b"no picture")
    out = place / "store" / photos.parent.name / "images"
    convert(photos, out, params=ConvertParams(max_rejected_fraction=0.5))
    return out


def test_s07_a_picture_that_changed_since_is_not_shown_as_the_one_that_was(
    shared_helper, images, photos
):
    (photos / "red" / "1.jpg").write_bytes(jpeg((300, 201), (0, 255, 0)))
    samples = shared_helper.describe(images).classes[1].samples
    assert (samples[1].thumbnail, samples[1].file) == (None, "red/1.jpg")
    assert samples[1].problem == "is not what it was when it was converted"
    assert [one.thumbnail is None for one in samples] == [False, True, False, False]


def test_an_image_directory_is_described_with_what_was_left_out(shared_helper, images):
    found = shared_helper.describe(images)
    assert (found.kind, found.is_decoded, found.images, found.left_out) == (
        "image directory",
        True,
        8,
        1,
    )
    assert [(one.name, one.images, len(one.samples)) for one in found.classes] == [
        ("blue", 4, 4),
        ("red", 4, 4),
    ]
    assert shared_helper.left_out(images).rows[0].file == "red/z.jpg"
    assert not found.losses.is_refused


def test_an_image_directory_that_was_replaced_is_opened_anew(shared_helper, images, photos):
    assert shared_helper.describe(images).images == 8
    shutil.rmtree(images)
    (photos / "red" / "z.jpg").unlink()
    (photos / "red" / "3.jpg").unlink()
    convert(photos, images)
    assert shared_helper.describe(images).images == 7


def test_the_thumbnails_used_last_stay_when_all_are_too_many(helper, photos, tmp_path):
    cache = ThumbnailCache(tmp_path / "cache")
    made = [helper.thumbnail(photos, f"red/{number}.jpg", 96) for number in range(4)]
    for number, place in enumerate(made):
        os.utime(place, (1_000 + number, 1_000 + number))
    sizes = [place.stat().st_size for place in made]
    assert helper.find_thumbnail(made[0].name[:64], 96) == made[0]  # used just now
    assert cache.prune(sum(sizes)) == 0
    assert cache.prune(sizes[0] + sizes[3]) == 2
    assert [place.is_file() for place in made] == [True, False, False, True]
    assert helper.thumbnail(photos, "red/1.jpg", 96) == made[1]
    assert cache.prune(0) == 3
    assert ThumbnailCache(tmp_path / "none").prune() == 0


def test_tidying_keeps_what_is_within_the_limit(helper, photos):
    place = helper.thumbnail(photos, "red/0.jpg")
    helper.tidy()
    assert place.is_file()
