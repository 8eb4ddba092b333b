"""The pixels that come out; refusals stand in test_decode_refusals.py."""

import contextlib
import io
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from imageloom.data import names
from imageloom.data.decoding import decode
from imageloom.data.decoding.decode import (
    ALL_TRANSPARENT,
    NEARLY_BLACK,
    UnreadablePictureError,
    decode_picture,
    decode_rgb,
    examine_picture,
)
from imageloom.data.decoding.jpeg_damage import LACKS_END

from .made_pictures import BLUE, GREEN, RED, WHITE, jpeg, photo, png, saved, tiff, tiff_page


def naive(content):
    """What most programs do."""
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def hwc(image_CHW):
    return image_CHW.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM", "TIFF"])
def test_a_picture_without_loss_comes_out_exactly(file_format):
    picture = decode_picture(saved(photo(), file_format))
    assert picture.format == file_format
    assert picture.pixels_HWC.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels_HWC, photo())


def test_a_lossless_webp_comes_out_exactly():
    picture = decode_picture(saved(photo(), "WEBP", lossless=True))
    assert picture.format == "WEBP"
    np.testing.assert_array_equal(picture.pixels_HWC, photo())


def test_a05_a_jpeg_without_its_end_marker_is_exact_and_noted():
    whole = jpeg()
    for cut in (1, 2):
        picture = decode_picture(whole[:-cut])
        assert picture.notices == (LACKS_END,)
        np.testing.assert_array_equal(picture.pixels_HWC, decode_picture(whole).pixels_HWC)


def test_a11_a_png_named_jpg_is_read_by_its_content():
    assert decode_picture(png()).format == "PNG"  # a name is not even asked for


def cmyk_reference(cyan, magenta, yellow, black):
    return tuple((255 - ink) * (255 - black) / 255 for ink in (cyan, magenta, yellow))


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_a15_cmyk_becomes_rgb_by_the_rule_and_is_not_inverted(file_format):
    inks = (30, 160, 200, 40)
    content = saved(Image.new("CMYK", (16, 16), inks), file_format)
    pixels_HWC = decode_picture(content).pixels_HWC
    np.testing.assert_allclose(pixels_HWC.mean((0, 1)), cmyk_reference(*inks), atol=2)


def test_a16_adobe_ycck_is_not_inverted():
    # A CMYK file becomes a YCCK file of other colours by the flag in its Adobe segment.
    inks = (0, 0, 0, 0)
    content = saved(Image.new("CMYK", (16, 16), inks), "JPEG", quality=100)
    flag = content.index(b"Adobe") + 11
    ycck = content[:flag] + b"\x02" + content[flag + 1 :]
    pixels_HWC = decode_picture(ycck).pixels_HWC
    # Stored inverted: Y=Cb=Cr=K=255. Cb = Cr = 255 is no grey, so this is a saturated colour:
    # R = 255 + 1.402 * 127 -> 255, G = 255 - 0.344 * 127 - 0.714 * 127 = 120.6, B -> 255.
    # libjpeg takes C = 255 - R and so on, and Pillow inverts once more.
    np.testing.assert_allclose(pixels_HWC.mean((0, 1)), (0, 255 - 120.6, 0), atol=2)


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_a17_to_a19_grey_one_bit_and_palette_keep_their_colours(mode):
    image = Image.fromarray(photo()).convert(mode)
    picture = decode_picture(saved(image, "PNG"))
    np.testing.assert_array_equal(picture.pixels_HWC, np.array(image.convert("RGB")))


def composed_on_white(rgba_HWC):
    colour, alpha = rgba_HWC[..., :3].astype(float), rgba_HWC[..., 3:].astype(float)
    return np.rint((colour * alpha + 255 * (255 - alpha)) / 255)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_a17_and_a21_alpha_is_composed_on_white(file_format):
    rgba_HWC = np.dstack([photo(), np.linspace(0, 255, 24 * 32).reshape(24, 32)]).astype(np.uint8)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    pixels_HWC = decode_picture(saved(rgba_HWC, file_format, **options)).pixels_HWC
    np.testing.assert_allclose(pixels_HWC, composed_on_white(rgba_HWC), atol=0.51)
    assert np.abs(naive(saved(rgba_HWC, file_format, **options)) - 0.0 - pixels_HWC).max() > 100


def test_a17_grey_with_alpha_is_composed_on_white():
    image = Image.merge("LA", [Image.new("L", (4, 4), 100), Image.new("L", (4, 4), 51)])
    expected = round((100 * 51 + 255 * 204) / 255)
    assert (decode_picture(saved(image, "PNG")).pixels_HWC == expected).all()


def test_a21_colours_hidden_under_alpha_0_become_white():
    hidden = Image.new("RGBA", (4, 4), (*RED, 0))
    picture = decode_picture(saved(hidden, "PNG"))
    assert (picture.pixels_HWC == WHITE).all()
    assert picture.notices == (ALL_TRANSPARENT,)
    assert (naive(saved(hidden, "PNG")) == RED).all()  # what the naive call shows


def test_a20_transparent_entries_of_a_palette_become_white():
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putdata([0, 1])
    half = saved(image, "PNG", transparency=bytes([0, 255]))
    np.testing.assert_array_equal(decode_picture(half).pixels_HWC, [[WHITE, GREEN]])
    whole = saved(image, "PNG", transparency=1)
    np.testing.assert_array_equal(decode_picture(whole).pixels_HWC, [[RED, WHITE]])


def test_a20_a_transparent_colour_of_an_rgb_png_becomes_white():
    image = Image.new("RGB", (2, 1), BLUE)
    image.putpixel((0, 0), RED)
    content = saved(image, "PNG", transparency=RED)
    np.testing.assert_array_equal(decode_picture(content).pixels_HWC, [[WHITE, BLUE]])


RAMP = np.array([[0, 256, 257, 32768, 65534, 65535]], dtype=np.uint16)
RAMP_8 = [0, 0, 1, 127, 254, 255]  # value // 257, by hand


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_a22_sixteen_bit_grey_is_scaled_not_clipped(file_format):
    content = saved(RAMP, file_format)
    picture = decode_picture(content)
    np.testing.assert_array_equal(picture.pixels_HWC[0, :, 0], RAMP_8)
    assert picture.notices == ()
    assert naive(content)[0, :, 0].tolist() == [0, 255, 255, 255, 255, 255]  # clipped, not scaled


def test_a22_sixteen_bit_grey_with_reversed_photometry_is_not_a_negative():
    strip = RAMP.astype("<u2").tobytes()
    tags = [(256, 4, 6), (257, 4, 1), (258, 3, 16), (259, 3, 1), (262, 3, 0), (277, 3, 1)]
    head = 8 + 2 + 12 * 9 + 4
    tags += [(273, 4, head), (278, 4, 1), (279, 4, len(strip))]
    picture = decode_picture(tiff([(tags, None)]) + strip)
    np.testing.assert_array_equal(picture.pixels_HWC[0, :, 0], (65535 - RAMP[0].astype(int)) // 257)


def test_a22_twelve_bit_tiff_is_scaled_by_its_own_range():
    # Two samples of 12 bits in three bytes: 0x000 and 0xFFF.
    strip = bytes([0x00, 0x0F, 0xFF])
    tags = [(256, 4, 2), (257, 4, 1), (258, 3, 12), (259, 3, 1), (262, 3, 1), (277, 3, 1)]
    head = 8 + 2 + 12 * 9 + 4
    tags += [(273, 4, head), (278, 4, 1), (279, 4, len(strip))]
    picture = decode_picture(tiff([(tags, None)]) + strip)
    assert picture.pixels_HWC[0, :, 0].tolist() == [0, 255]


def test_a22_sixteen_bit_grey_that_uses_few_of_its_values_is_noted():
    picture = decode_picture(saved(np.full((4, 4), 1023, dtype=np.uint16), "PNG"))
    assert picture.notices == (NEARLY_BLACK,)
    assert (picture.pixels_HWC == 3).all()


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("WEBP", {"lossless": True}),
        ("PNG", {}),  # APNG
        ("TIFF", {}),
    ],
)
def test_a24_the_first_of_several_frames_is_used_and_the_number_told(file_format, options):
    others = [Image.fromarray(photo(seed=number)) for number in (1, 2)]
    content = saved(photo(), file_format, save_all=True, append_images=others, **options)
    picture = decode_picture(content)
    assert picture.frames == 3
    assert picture.notices == ("has 3 frames; the first is used",)
    np.testing.assert_array_equal(picture.pixels_HWC, photo())


def test_a24_a_phone_jpeg_with_a_second_picture_inside_counts_as_jpeg():
    content = saved(photo(), "MPO", save_all=True, append_images=[Image.fromarray(photo(seed=1))])
    picture = decode_picture(content)
    assert (picture.format, picture.frames) == ("JPEG", 2)


# Where the first row and the first column of the stored pixels lie, by the standard's table; each
# undoes the orientation with Pillow's own names for it.
STORE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", STORE)
def test_a27_every_orientation_gives_the_same_picture(orientation, file_format):
    upright = Image.fromarray(photo())
    stored = upright if STORE[orientation] is None else upright.transpose(STORE[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    content = saved(stored, file_format, exif=exif, **options)
    picture = decode_picture(content)
    np.testing.assert_array_equal(picture.pixels_HWC, photo())
    np.testing.assert_array_equal(hwc(decode_rgb(content)), photo())
    assert picture.orientation == orientation
    facts = examine_picture(content)
    assert (facts.width, facts.height, facts.orientation) == (32, 24, orientation)
    if orientation != 1 and file_format != "TIFF":
        assert naive(content).shape != photo().shape or (naive(content) != photo()).any()


@pytest.mark.parametrize("orientation", [0, 9, 99])
def test_a28_an_unknown_orientation_counts_as_1(orientation):
    picture = decode_picture(jpeg(orientation=orientation))
    assert picture.orientation == 1
    np.testing.assert_array_equal(picture.pixels_HWC, decode_picture(jpeg()).pixels_HWC)


@pytest.mark.parametrize("damage", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"x"])
def test_a29_damaged_exif_data_count_as_orientation_1(damage):
    content = jpeg(exif=damage)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the decoder's own warnings must not escape
        assert decode_picture(content).orientation == 1
        np.testing.assert_array_equal(hwc(decode_rgb(content)), naive(jpeg()))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20_000, 1), (1, 20_000)])
def test_a32_to_a34_thin_pictures_are_accepted(height, width):
    assert decode_picture(
        saved(np.zeros((height, width, 3), np.uint8), "PNG")
    ).pixels_HWC.shape == (
        height,
        width,
        3,
    )


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [5, 75, 100])
def test_the_fast_way_gives_the_same_pixels_as_the_careful_one(quality, subsampling, progressive):
    for orientation, (height, width) in enumerate([(37, 53), (1, 1), (64, 64), (300, 7)] * 2, 1):
        content = jpeg(
            orientation,
            orientation=orientation,
            height=height,
            width=width,
            quality=quality,
            subsampling=subsampling,
            progressive=progressive,
        )
        careful_HWC = decode_picture(content).pixels_HWC
        np.testing.assert_array_equal(hwc(decode_rgb(content)), careful_HWC)
        transposed = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        np.testing.assert_array_equal(careful_HWC, np.array(transposed))  # Pillow's own rule


@pytest.mark.parametrize(
    "content",
    [
        saved(Image.fromarray(photo()).convert("L"), "JPEG"),
        saved(Image.fromarray(photo()).convert("CMYK"), "JPEG"),
        jpeg(restart_marker_blocks=2),
        jpeg(optimize=True),
        jpeg()[:-2],
        jpeg() + b"\0" * 50,
        png(),
        saved(photo(), "WEBP"),
    ],
    ids=["grey", "cmyk", "restarts", "optimised", "no-end", "padding", "png", "webp"],
)
def test_every_kind_reads_the_same_both_ways(content):
    image_CHW = decode_rgb(content)
    np.testing.assert_array_equal(hwc(image_CHW), decode_picture(content).pixels_HWC)
    assert image_CHW.permute(1, 2, 0).is_contiguous()


def test_an_adobe_rgb_jpeg_keeps_its_colours_both_ways():
    content = jpeg(keep_rgb=True, quality=100, subsampling=0)
    np.testing.assert_allclose(decode_picture(content).pixels_HWC, photo(), atol=3)
    np.testing.assert_array_equal(hwc(decode_rgb(content)), decode_picture(content).pixels_HWC)


def test_facts_agree_with_the_decoded_picture():
    content = jpeg(orientation=6)
    picture, facts = decode_picture(content), examine_picture(content)
    assert picture.pixels_HWC.shape == (facts.height, facts.width, 3)
    assert (picture.format, picture.orientation) == (facts.format, facts.orientation)


def test_threads_that_decode_at_once_leave_the_warning_filters_as_they_were():
    before = list(warnings.filters)
    damaged = jpeg(exif=b"Exif\0\0garbage")
    threads = [
        threading.Thread(target=lambda: [decode_picture(damaged) for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_a_page_count_does_not_follow_loops():
    page = tiff_page()
    assert decode_picture(tiff([(page, 1), (page, 0)])).frames == 2


CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([jpeg(), jpeg(progressive=True), png(), saved(photo(), "TIFF")]), CHANGES)
def test_s19_a_damaged_file_reads_the_same_both_ways_or_is_refused(content, changes):
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    try:
        picture = decode_picture(bytes(damaged))
    except UnreadablePictureError:  # and no other kind of error
        with contextlib.suppress(UnreadablePictureError):  # the fast way does not look for damage
            decode_rgb(bytes(damaged))
        return
    np.testing.assert_array_equal(hwc(decode_rgb(bytes(damaged))), picture.pixels_HWC)


def test_the_formats_that_names_promise_are_those_that_are_decoded():
    assert names.FORMATS == decode.FORMATS
