import io

import numpy as np
import pytest
from PIL import Image

from imageloom.data.decoding.decode import decode_rgb
from imageloom.data.decoding.jpeg import (
    END,
    bytes_behind,
    codes_end,
    first_rows,
    has_all_scans,
    has_end,
    read_jpeg_header,
    skeleton,
    until_last_scan,
    with_end,
)

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
    for cut in range(1, len(whole) - header.segments[-1].start):
        assert not has_end(whole[:-cut], header)
        assert with_end(whole[:-cut], header).endswith(END)
    assert with_end(whole, header) is whole


def test_a_progressive_file_has_all_scans_only_with_the_last_one():
    whole = jpeg(progressive=True, height=64, width=64)
    segments = until_last_scan(whole, read_jpeg_header(whole))
    scans = [row for row, segment in enumerate(segments) if segment.marker == 0xDA]
    assert len(scans) > 5
    assert has_all_scans(whole, segments)
    assert [has_all_scans(whole, segments[:scan]) for scan in scans] == [False] * len(scans)


def test_a_sequential_file_has_all_scans_when_each_component_came():
    segments = read_jpeg_header(jpeg()).segments
    assert has_all_scans(jpeg(), segments)
    assert not has_all_scans(jpeg(), segments[:-1])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_skeleton_has_the_same_tables_and_neither_codes_nor_exif_data(progressive):
    whole = jpeg(progressive=progressive, orientation=6, height=64, width=64)
    image = Image.open(io.BytesIO(whole))
    bones = skeleton(whole, until_last_scan(whole, read_jpeg_header(whole)))
    found = Image.open(io.BytesIO(bones))
    found.load()
    assert found.size == (8, 8)
    assert found.quantization == image.quantization
    assert bones.count(b"\xff\xda") == whole.count(b"\xff\xda")
    assert b"Exif" not in bones


def test_the_codes_end_at_the_next_marker_and_what_stands_behind_the_end_is_counted():
    whole = jpeg(restart_marker_blocks=1)
    end = codes_end(whole, read_jpeg_header(whole).segments[-1])
    assert end == len(whole) - 2
    assert bytes_behind(whole, end) == 0
    assert bytes_behind(whole + b"12345", end) == 5
    assert bytes_behind(whole[:-2] + b"\xff\xfe\x00\x03x\xff\xd9123", end) == 3
    assert bytes_behind(whole[:-2], end) == 0


@pytest.mark.parametrize("junk", [b"\xff\xff", b"\0\0", b"\xff\xd3"])
def test_what_stands_between_two_markers_is_passed_over_and_makes_the_file_unusual(junk):
    whole = jpeg()
    header, other = read_jpeg_header(whole), read_jpeg_header(whole[:20] + junk + whole[20:])
    assert (other.width, len(other.segments)) == (header.width, len(header.segments))
    assert header.is_plain
    assert not other.is_plain


@pytest.mark.parametrize("restart", [0, 1])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_first_rows_are_those_of_the_whole_file(mode, subsampling, progressive, restart):
    image = Image.fromarray(photo(height=150, width=90)).convert(mode)
    options = {} if mode == "L" else {"subsampling": subsampling}
    whole = saved(
        image, "JPEG", progressive=progressive, restart_marker_rows=restart, quality=92, **options
    )
    pixels = np.asarray(Image.open(io.BytesIO(whole)).convert("RGB"))
    for rows in (1, 15, 16, 17, 64, 110, 117, 118, 150):
        content = first_rows(whole, read_jpeg_header(whole), rows)
        found = decode_rgb(content).permute(1, 2, 0).numpy()
        assert rows <= found.shape[0] == min(150, rows + 33)
        assert np.array_equal(found[:rows], pixels[:rows])
        assert np.array_equal(decode_rgb(whole, rows=rows).permute(1, 2, 0)[:rows], pixels[:rows])
