"""JPEG files that libjpeg decodes with a warning at most: which of them are refused.

The second opinion on each is the decode of the whole picture: what is accepted has its pixels.
"""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imageloom.data.convert import convert
from imageloom.data.decoding import jpeg_damage, libjpeg
from imageloom.data.decoding.decode import (
    UnreadablePictureError,
    decode_picture,
    decode_rgb,
    examine_picture,
)
from imageloom.data.decoding.jpeg import read_jpeg_header
from imageloom.data.decoding.jpeg_damage import (
    COLOURS_GUESSED,
    HAS_MORE,
    LACKS_END,
    LOSSLESS,
    NO_LIBJPEG,
)
from imageloom.data.params import ConvertParams
from imageloom.events import Notice

from .made_pictures import jpeg, photo, saved

END = b"\xff\xd9"
LARGE = {"height": 200, "width": 300}
KINDS = {
    "baseline": jpeg(**LARGE),
    "4:4:4": jpeg(**LARGE, subsampling=0),
    "optimised": jpeg(**LARGE, optimize=True),
    "progressive": jpeg(**LARGE, progressive=True),
    "restarts": jpeg(**LARGE, restart_marker_rows=1),
    "many-restarts": jpeg(**LARGE, restart_marker_blocks=1),
    "progressive-restarts": jpeg(**LARGE, progressive=True, restart_marker_rows=1),
    "grey": saved(Image.fromarray(photo(**LARGE)).convert("L"), "JPEG"),
    "cmyk": saved(Image.fromarray(photo(**LARGE)).convert("CMYK"), "JPEG"),
    "rgb": jpeg(**LARGE, keep_rgb=True),
    "phone": jpeg(**LARGE, orientation=6, comment=b"x" * 999),
}
BASELINE = KINDS["baseline"]


def codes_start(content):
    return read_jpeg_header(content).segments[-1].end


def refused(content, reason="is damaged"):
    for look in (examine_picture, decode_picture):
        with pytest.raises(UnreadablePictureError, match=reason) as problem:
            look(content)
    assert problem.value.hint
    return problem.value.reason


def naive(content):
    """The pixels that Pillow gives, which says nothing of damage."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_accepted_without_a_word(kind):
    assert examine_picture(KINDS[kind]).notices == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("percent", [10, 25, 50, 75, 90, 99])
def test_a_cut_file_with_an_end_marker_behind_is_refused(kind, percent):
    whole = KINDS[kind]
    start = codes_start(whole)
    cut = whole[: start + (len(whole) - start) * percent // 100] + END
    refused(cut)
    assert (naive(cut) != naive(whole)).any()  # and Pillow has nothing to say


def test_half_a_picture_with_an_end_marker_is_mostly_wrong_pixels_to_a_decoder():
    half = BASELINE[: len(BASELINE) // 2] + END
    wrong = (naive(half) != naive(BASELINE)).any(axis=2).mean()
    assert wrong > 0.4
    assert refused(half) == "is damaged: its picture data end too early"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("percent", [5, 30, 55, 80])
def test_a_block_of_zeros_among_the_codes_is_refused(kind, percent):
    whole = KINDS[kind]
    start = codes_start(whole) + (len(whole) - codes_start(whole)) * percent // 100
    size = min(4096, (len(whole) - start) // 2)
    damaged = whole[:start] + bytes(size) + whole[start + size :]
    refused(damaged)
    assert (naive(damaged) != naive(whole)).any()


def test_codes_that_are_left_over_are_refused():
    twice = BASELINE[:-2] + BASELINE[codes_start(BASELINE) :]
    assert refused(twice) == "is damaged: bytes are left over in its picture data"


def test_a_lost_stretch_between_two_restart_markers_is_refused():
    whole = KINDS["restarts"]
    first, second = (whole.index(bytes([0xFF, 0xD0 + number])) for number in (1, 2))
    refused(whole[:first] + whole[second:], "missing or out of place")
    refused(whole[: first + 2] + whole[second:], "end too early")


def test_a_progressive_file_that_lacks_a_scan_is_refused_even_with_its_end_marker():
    whole = KINDS["progressive"]
    scans = [place for place in range(len(whole)) if whole[place : place + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for scan in scans[1:]:
        refused(whole[:scan] + END, "scans are missing")
    third, fourth = scans[2:4]
    refused(whole[:third] + whole[fourth:])


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(KINDS)), st.floats(0, 1, exclude_max=True), st.integers(0, 255))
def test_a07_a_changed_byte_is_refused_or_nobody_can_see_it(kind, place, value):
    whole = KINDS[kind]
    start = codes_start(whole)
    place = start + int(place * (len(whole) - start))
    damaged = whole[:place] + bytes([value]) + whole[place + 1 :]
    try:
        picture = decode_picture(damaged)
    except UnreadablePictureError:
        return
    assert picture.pixels_HWC.shape == decode_picture(whole).pixels_HWC.shape
    np.testing.assert_array_equal(decode_rgb(damaged).permute(1, 2, 0).numpy(), picture.pixels_HWC)


@pytest.mark.parametrize("junk", [b"x", bytes(1_000_000), b"\xff\xd9\xff\xd8" * 1000, BASELINE])
def test_bytes_behind_the_end_marker_are_accepted_and_noted(junk):
    picture = decode_picture(BASELINE + junk)
    assert picture.notices == (HAS_MORE,)
    np.testing.assert_array_equal(picture.pixels_HWC, naive(BASELINE))


def test_a_comment_between_the_codes_and_the_end_marker_is_nothing_special():
    assert examine_picture(BASELINE[:-2] + b"\xff\xfe\x00\x06text" + END).notices == ()


def test_a_phone_picture_with_a_second_one_behind_is_not_said_to_have_bytes_behind():
    content = saved(photo(), "MPO", save_all=True, append_images=[Image.fromarray(photo(seed=1))])
    facts = examine_picture(content)
    assert (facts.frames, facts.notices) == (2, ())


@pytest.mark.parametrize("kind", KINDS)
def test_a05_only_the_end_marker_may_be_missing(kind):
    whole = KINDS[kind]
    assert LACKS_END in examine_picture(whole[:-2]).notices
    assert LACKS_END in examine_picture(whole[:-1]).notices
    refused(whole[:-6], "is cut short: its last pixels are missing")


def changed_segment(content, name, offset, value):
    place = content.index(name) + offset
    return content[:place] + bytes([value]) + content[place + 1 :]


HARMLESS = {
    "junk-in-the-header": (BASELINE[:20] + b"junk" + BASELINE[20:], ()),
    "jfif-version-9": (changed_segment(BASELINE, b"JFIF", 5, 9), ()),
    "limits-of-a-sequential-scan": (
        changed_segment(BASELINE, b"\xff\xda", 12, 0),
        (),
    ),
    "adobe-transform-9": (
        changed_segment(KINDS["rgb"], b"Adobe", 11, 9),
        (COLOURS_GUESSED,),
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_warning_that_concerns_no_pixel_is_harmless_and_reaches_no_terminal(name, capfd):
    content, notices = HARMLESS[name]
    header = libjpeg.jpeg_warnings(content)
    assert len(header.header + header.scans) == 1  # libjpeg does warn
    picture = decode_picture(content)
    assert picture.notices == notices
    if name != "adobe-transform-9":
        np.testing.assert_array_equal(picture.pixels_HWC, naive(BASELINE))
    np.testing.assert_array_equal(decode_rgb(content).permute(1, 2, 0).numpy(), picture.pixels_HWC)
    assert capfd.readouterr() == ("", "")


def lossless_jpeg(side=8):
    """All samples 128, as their prediction says: one code of one bit, 0, for each."""

    def segment(marker, payload):
        return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload

    return (
        b"\xff\xd8"
        + segment(0xC3, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
        + segment(0xC4, bytes([0, 1] + [0] * 15 + [0]))
        + segment(0xDA, b"\x01\x01\x00\x01\x00\x00")
        + bytes(side * side // 8)
        + END
    )


def test_a_lossless_file_is_read_and_said_to_be_beyond_the_look_for_damage():
    picture = decode_picture(lossless_jpeg())
    assert picture.notices == (LOSSLESS,)
    assert (picture.pixels_HWC == 128).all()
    refused(lossless_jpeg()[:-2], "cut short")


def test_where_libjpeg_cannot_be_asked_that_is_said_and_a_missing_end_is_refused(monkeypatch):
    monkeypatch.setattr(jpeg_damage, "jpeg_warnings", lambda _: None)
    assert examine_picture(BASELINE).notices == (NO_LIBJPEG,)
    refused(BASELINE[:-2], "cut short")


def test_an_unknown_warning_is_believed(monkeypatch):
    said = libjpeg.JpegWarnings((), ("Something new",))
    monkeypatch.setattr(jpeg_damage, "jpeg_warnings", lambda _: said)
    assert refused(BASELINE) == "is damaged: libjpeg says of it: Something new"


def test_a_conversion_lists_damaged_files_with_their_reasons_and_notes_the_others(tree, tmp_path):
    files = {f"a/{number}.jpg": jpeg(number) for number in range(4)}
    half = BASELINE[: len(BASELINE) // 2] + END
    behind = {f"a/behind-{number}.jpg": BASELINE + bytes(1_000_000) for number in range(5)}
    heard = []
    images = convert(
        tree.write(files | behind | {"a/half.jpg": half}),
        tmp_path / "out",
        params=ConvertParams(max_rejected_fraction=0.5),
        on_event=heard.append,
    )
    (lost,) = images.rejected
    assert (lost.file, lost.label) == ("a/half.jpg", "a")
    assert lost.reason == "is damaged: its picture data end too early"
    told = next(one.message for one in heard if isinstance(one, Notice) and HAS_MORE in one.message)
    assert told == (
        "5 pictures (a/behind-0.jpg, a/behind-1.jpg, a/behind-2.jpg and 2 more): each has "
        "bytes behind its end marker, which are not read."
    )
