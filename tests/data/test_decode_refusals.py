"""Files that must be refused, each with a reason that a person can act on."""

import io
import resource
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from imageloom.data.decoding.decode import (
    UnreadablePictureError,
    decode_picture,
    decode_rgb,
    examine_picture,
)

from .made_pictures import gif, jpeg, photo, png, png_chunk, raw_png, saved, tiff, tiff_page


def flipped(content, position):
    return content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :]


def jpeg_2000():
    return saved(photo(), "JPEG2000")


def with_bad_idat():
    start = png().index(b"IDAT") + 4
    body = png()[start : start + 40]
    return raw_png(8, 6).replace(
        png_chunk(b"IDAT", zlib.compress(b"", 9)), png_chunk(b"IDAT", body[::-1])
    )


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n"
FLOAT = saved(Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)), "TIFF")
INT32 = saved(Image.fromarray(np.arange(64, dtype=np.int32).reshape(8, 8)), "TIFF")
BIG = jpeg(height=64, width=64)

REFUSED = {
    "a01-empty": (b"", "is empty"),
    "a02-one-byte": (b"\xff", "not a picture"),
    "a03-half-a-jpeg": (BIG[: len(BIG) // 2], "cut short"),
    "a03-half-a-progressive-jpeg": (jpeg(progressive=True)[:700], "cut short|cannot be decoded"),
    "a04-jpeg-200-bytes": (BIG[:200], "cannot be decoded|begins as a JPEG"),
    "a08-half-a-png": (png()[: len(png()) // 2], "cannot be decoded"),
    "a09-png-bad-crc": (flipped(png(), len(png()) - 20), "cannot be decoded"),
    "a10-png-bad-idat": (with_bad_idat(), "cannot be decoded"),
    "a12-html": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "is an HTML page"),
    "a12-text": (b"there is no picture here, sorry", "is a text file"),
    "a12-lfs": (LFS, "is a Git LFS pointer"),
    "a12-pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF document"),
    "a13-svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "format SVG"),
    "a13-svg-xml": (b'<?xml version="1.0"?>\n<svg><script>x</script></svg>', "format SVG"),
    "a23-float-tiff": (FLOAT, "unsupported sample format: floating point"),
    "a23-int-tiff": (INT32, "unsupported sample format: 32-bit"),
    "a23-pfm": (b"Pf\n1 1\n-1.0\n" + struct.pack("<f", 0.5), "unsupported sample format"),
    "a24-gif": (gif(), "format GIF"),
    "a25-avif": (b"\0\0\0\x1cftypavif" + b"\0" * 20, "format AVIF"),
    "a25-heic": (b"\0\0\0\x18ftypheic" + b"\0" * 20, "format HEIC"),
    "a25-jpeg-2000": (jpeg_2000(), "format JPEG 2000"),
    "a25-ico": (saved(photo(32, 32), "ICO"), "format ICO"),
    "a25-psd": (b"8BPS\0\x01" + b"\0" * 30, "format PSD"),
    "a25-tga": (saved(photo(), "TGA"), "format TGA"),
    "a25-eps-named-jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "format EPS"),
    "a35-no-pixels": (raw_png(0, 0), "no pixels|cannot be decoded|begins as a PNG"),
    "cut-bmp": (saved(photo(), "BMP")[:500], "cannot be decoded"),
    "cut-tiff": (saved(photo(), "TIFF")[:500], "cannot be decoded|begins as a TIFF"),
    "cut-webp": (saved(photo(), "WEBP")[:150], "cannot be decoded|begins as a WebP"),
    "cut-ppm": (saved(photo(), "PPM")[:500], "cannot be decoded"),
    "lab-tiff": (saved(Image.new("LAB", (4, 4)), "TIFF"), "unsupported sample format"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_usable_picture_is_refused_with_its_reason(name):
    content, reason = REFUSED[name]
    with pytest.raises(UnreadablePictureError, match=reason) as careful:
        decode_picture(content)
    with pytest.raises(UnreadablePictureError, match=reason):
        examine_picture(content)
    with pytest.raises(UnreadablePictureError, match=reason):
        decode_rgb(content)
    assert careful.value.hint
    assert len(careful.value.reason) < 200


def test_a03_the_naive_check_passes_half_a_jpeg():
    half, _ = REFUSED["a03-half-a-jpeg"]
    Image.open(io.BytesIO(half)).verify()  # raises nothing


def test_a23_the_naive_call_turns_a_float_tiff_black():
    assert np.array(Image.open(io.BytesIO(FLOAT)).convert("RGB")).max() <= 1


def test_a12_a_git_lfs_pointer_has_its_own_hint():
    with pytest.raises(UnreadablePictureError) as refused:
        decode_picture(LFS)
    assert "git lfs pull" in refused.value.hint


@pytest.mark.parametrize("cut", range(3, 40))
def test_a03_a_jpeg_that_lacks_more_than_its_end_is_refused(cut):
    with pytest.raises(UnreadablePictureError, match=r"cut short|cannot be decoded"):
        decode_picture(BIG[:-cut])


def test_a03_a_progressive_jpeg_cut_between_two_scans_is_refused():
    whole = jpeg(progressive=True, height=64, width=64)
    scans = [place for place in range(len(whole)) if whole[place : place + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for scan in scans[1:]:
        with pytest.raises(UnreadablePictureError, match=r"cut short|cannot be decoded"):
            decode_picture(whole[:scan])


def one_bit_rows(side):
    return (b"\0" + b"\0" * ((side + 7) // 8)) * side


def many_pages(count, *, loop=False):
    page = tiff_page()
    links = [*range(1, count), 0 if loop else None]
    return tiff([(page, link) for link in links])


def text_bomb():
    payload = b"Comment\0\0" + zlib.compress(b"A" * 100_000_000, 9)
    return raw_png(1, 1, rows=b"\0\0\0\0", chunks=png_chunk(b"zTXt", payload))


BOMBS = {
    "a36-2-to-the-31": (lambda: raw_png(2**31 - 1, 2**31 - 1), "more pixels than the limit"),
    "a37-68-bytes": (lambda: raw_png(20_000, 20_000)[:68], "more pixels than the limit"),
    "a38-one-bit": (
        lambda: raw_png(12_000, 12_000, bits=1, colour=0, rows=one_bit_rows(12_000)),
        "more pixels than the limit of 50,000,000",
    ),
    "a39-text-bomb": (text_bomb, "cannot be decoded"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a35_to_a39_bombs_are_refused_quickly_and_in_little_memory(name):
    make, reason = BOMBS[name]
    content = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    with pytest.raises(UnreadablePictureError, match=reason):
        examine_picture(content)
    assert time.perf_counter() - start < 1  # 50 ms on a quiet machine
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


@pytest.mark.parametrize("loop", [False, True])
def test_a40_and_a42_many_tiff_pages_are_counted_without_reading_them(loop):
    content = many_pages(1_000, loop=loop)
    start = time.perf_counter()
    assert examine_picture(content).frames == 1_000
    assert time.perf_counter() - start < 2


@pytest.mark.slow
def test_a40_a_million_tiff_directories_stop_the_count():
    content = many_pages(20_000)
    assert examine_picture(content).frames == 10_000


def test_a41_a_gif_of_many_frames_is_refused_by_its_first_bytes():
    with pytest.raises(UnreadablePictureError, match="format GIF"):
        examine_picture(gif(frames=3) * 10_000)


def test_the_limit_of_pixels_is_inclusive():
    content = png(height=10, width=10)
    assert examine_picture(content, max_pixels=100).width == 10
    with pytest.raises(UnreadablePictureError, match="limit of 99"):
        examine_picture(content, max_pixels=99)
