import ctypes
import io
import logging
import threading

import numpy as np
import PIL._imaging
import pytest
from PIL import Image, TiffImagePlugin

from imageloom.data.decoding import tiff_damage
from imageloom.data.decoding.decode import decode_picture, decode_rgb, examine_picture
from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.data.decoding.libtiff import LibtiffErrors, _exchange_handler, _words

KINDS = {
    None: "RGB",
    "packbits": "RGB",
    "tiff_lzw": "RGB",
    "tiff_adobe_deflate": "RGB",
    "tiff_deflate": "RGB",
    "jpeg": "RGB",
    "lzma": "RGB",
    "zstd": "RGB",
    "tiff_ccitt": "1",
    "group3": "1",
    "group4": "1",
}


def stored(compression, **options):
    rows, columns = np.mgrid[0:64, 0:64]
    pixels = np.stack([columns * 3, rows * 3, rows + columns], -1).astype(np.uint8)
    file = io.BytesIO()
    image = Image.fromarray(pixels).convert(KINDS[compression])
    image.save(file, "TIFF", compression=compression, **options)
    return file.getvalue()


def strip_of(content):
    """Where the first strip begins, and how long it is."""
    tags = Image.open(io.BytesIO(content)).tag_v2
    return tags[273][0], tags[279][0]


def damaged(compression):
    content = stored(compression)
    begin, length = strip_of(content)
    middle = begin + length // 2
    turned = bytes(255 - byte for byte in content[middle : middle + 8])
    return content[:middle] + turned + content[middle + 8 :]


@pytest.mark.parametrize("compression", KINDS)
def test_a_whole_file_is_read_without_a_notice_or_a_word(compression, capfd):
    content = stored(compression)
    picture = decode_picture(content)
    expected = Image.open(io.BytesIO(content)).convert("RGB")
    np.testing.assert_array_equal(picture.pixels_HWC, np.asarray(expected))
    assert picture.notices == ()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("compression", "words"),
    [
        ("group4", "Fax4Decode: (Bad code word|Uncompressed data)"),
        ("tiff_ccitt", "Fax3DecodeRLE: Bad code word"),
        ("tiff_adobe_deflate", "ZIPDecode: Decoding error"),
        ("tiff_deflate", "ZIPDecode: Decoding error"),
        ("lzma", "LZMADecode: Decoding error"),
    ],
)
@pytest.mark.parametrize("look", [examine_picture, decode_picture, decode_rgb])
def test_a_damaged_file_is_refused_with_libtiffs_words_and_none_on_the_terminal(
    compression, words, look, capfd
):
    with pytest.raises(UnreadablePictureError, match=f"is damaged: libtiff says of it: {words}"):
        look(damaged(compression))
    assert capfd.readouterr() == ("", "")


def test_pillow_alone_accepts_damaged_fax_codes_and_lets_libtiff_print(capfd):
    Image.open(io.BytesIO(damaged("group4"))).load()
    assert "Fax4Decode" in capfd.readouterr().err


def test_a_tag_that_nobody_knows_is_no_damage(capfd):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[65000] = "made up"
    content = stored("tiff_lzw", tiffinfo=tags)
    assert Image.open(io.BytesIO(content)).tag_v2[65000] == "made up"
    assert examine_picture(content).notices == ()
    assert capfd.readouterr() == ("", "")


def test_what_pillow_logs_of_a_tiff_file_stays_off_the_terminal(capfd):
    content = stored("tiff_lzw")
    tag = content.index(b"\x15\x01\x03\x00\x01\x00\x00\x00\x03")  # samples per pixel: 3
    with pytest.raises(UnreadablePictureError):
        examine_picture(content[: tag + 8] + b"\x0b" + content[tag + 9 :])
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("PIL.TiffImagePlugin").disabled


def current_handler():
    exchange = _exchange_handler()
    now = exchange(None)
    exchange(now)
    return now


def test_the_handler_of_before_is_put_back_also_after_threads_that_overlap():
    before, listening = current_handler(), LibtiffErrors()
    first, second = listening(), listening()
    first.__enter__()
    assert current_handler() != before
    second.__enter__()
    first.__exit__(None, None, None)
    assert current_handler() != before
    second.__exit__(None, None, None)
    assert current_handler() == before


def test_an_error_is_told_of_the_file_in_whose_thread_it_came():
    found, inside, over = [], threading.Event(), threading.Event()
    listening = LibtiffErrors()

    def stay_inside():
        with listening() as heard:
            inside.set()
            over.wait()
            found.append(list(heard))

    other = threading.Thread(target=stay_inside)
    other.start()
    inside.wait()
    with listening() as heard:
        Image.open(io.BytesIO(damaged("group4"))).load()
    over.set()
    other.join()
    assert found == [[]]
    assert 0 < len(heard) <= 16


def test_where_libtiff_is_out_of_reach_a_notice_says_so(monkeypatch):
    monkeypatch.setattr(tiff_damage, "_libtiff", HiddenLibtiff())
    assert examine_picture(stored("tiff_lzw")).notices == (tiff_damage.NO_LIBTIFF,)


class HiddenLibtiff(LibtiffErrors):
    def __call__(self):
        from contextlib import nullcontext

        return nullcontext(None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"Bad code word at line %u of %s %u (x %u)", "Bad code word"),
        (b"Decoding error at scanline %lu, %s", "Decoding error"),
        (b'Incorrect count for "%s"', "Incorrect count for"),
        (b"Using code not yet in table", "Using code not yet in table"),
        (b"%s", ""),
        (None, ""),
    ],
)
def test_places_of_values_are_left_out_of_libtiffs_words(text, words):
    assert _words(text) == words


def test_libtiff_is_found_in_this_pillow():
    assert ctypes.CDLL(PIL._imaging.__file__).TIFFSetErrorHandler
    assert _exchange_handler() is not None
