import pytest
from PIL import Image

from imageloom.data.jpeg import has_all_scans, has_end, read_jpeg_header

from .made_pictures import jpeg, photo, png, saved


def test_the_header_tells_size_components_and_orientation():
    header = read_jpeg_header(jpeg(orientation=6, height=20, width=30))
    assert (header.width, header.height, header.components, header.bits) == (30, 20, 3, 8)
    assert (header.orientation, header.is_plain) == (6, True)


def test_four_components_are_not_plain():
    header = read_jpeg_header(saved(Image.fromarray(photo()).convert("CMYK"), "JPEG"))
    assert header.components == 4
    assert not header.is_plain


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", png(), jpeg()[:100], b"\xff\xd8garbage"])
def test_what_is_no_whole_header_gives_none(content):
    assert read_jpeg_header(content) is None


@pytest.mark.parametrize("progressive", [False, True])
def test_every_cut_before_the_end_is_seen_as_lacking_the_end(progressive):
    whole = jpeg(progressive=progressive)
    header = read_jpeg_header(whole)
    assert has_end(whole, header)
    for cut in range(1, len(whole) - header.scan_start):
        assert not has_end(whole[:-cut], header)


def test_a_progressive_file_has_all_scans_only_with_the_last_one():
    whole = jpeg(progressive=True, height=64, width=64)
    scans = [place for place in range(len(whole)) if whole[place : place + 2] == b"\xff\xda"]
    assert has_all_scans(whole)
    assert [has_all_scans(whole[:scan]) for scan in scans] == [False] * len(scans)
    assert has_all_scans(whole[: scans[-1] + 20])  # the last scan's own bytes are not looked at


def test_a_sequential_file_has_all_scans_when_each_component_came():
    assert has_all_scans(jpeg())
    assert not has_all_scans(jpeg()[: read_jpeg_header(jpeg()).scan_start - 4])
