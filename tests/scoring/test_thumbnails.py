import base64
import io
import os

import numpy as np
import pytest
from PIL import Image

from imageloom.reports.evaluation.thumbnails import MOST_PIXELS, make_thumbnail


def shown(thumbnail):
    return Image.open(io.BytesIO(base64.b64decode(thumbnail.address.split(",")[1])))


def test_a_large_picture_becomes_a_small_jpeg(tmp_path):
    Image.new("RGB", (2000, 1000), "red").save(tmp_path / "a.jpg")
    found = make_thumbnail(tmp_path, "a.jpg")
    assert (shown(found).format, shown(found).size) == ("JPEG", (MOST_PIXELS, MOST_PIXELS // 2))
    assert (found.width, found.height, found.tiny) == (160, 80, False)


def test_a_tiny_picture_stays_exact_and_is_shown_larger(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = make_thumbnail(tmp_path, "a.png")
    np.testing.assert_array_equal(np.asarray(shown(found)), pixels)
    assert (found.width, found.height, found.tiny) == (120, 160, True)


def test_a27_a_turned_photo_is_shown_upright_as_it_was_scored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    Image.new("RGB", (400, 100)).save(tmp_path / "a.jpg", exif=exif)
    found = make_thumbnail(tmp_path, "a.jpg")
    assert shown(found).size == (MOST_PIXELS // 4, MOST_PIXELS)
    assert not shown(found).getexif()


def test_a_name_in_a_folder_is_found(tmp_path):
    (tmp_path / "cats").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cats" / "a b.png")
    assert make_thumbnail(tmp_path, "cats/a b.png").width == 160


@pytest.mark.parametrize(
    "file", ["../secret.png", "/etc/secret.png", "a/../../secret.png", "", "\0"]
)
def test_s01_a_name_outside_the_folder_is_not_opened(tmp_path, file):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    assert make_thumbnail(tmp_path / "pictures", file) == (
        "the name does not lie below the table's folder"
    )


def test_s06_a_link_is_not_followed(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").symlink_to(tmp_path / "secret.png")
    found = make_thumbnail(tmp_path / "pictures", "a.png")
    assert found == "the picture is a link, which a report does not follow"


def test_b17_a_pipe_does_not_stop_the_report(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert make_thumbnail(tmp_path, "a.png") == "the picture is no longer there"


def test_a_missing_picture_and_a_broken_one_say_so(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert make_thumbnail(tmp_path, "gone.jpg") == "the picture is no longer there"
    assert make_thumbnail(tmp_path, "broken.jpg") == "the picture cannot be decoded"
