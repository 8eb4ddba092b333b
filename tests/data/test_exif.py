import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imageloom.data.decoding.exif import TURNS, orientation_of


def exif_with(value, *, order="<", kind=3):
    """EXIF data with a few other fields around the orientation."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    fields = [(0x010F, 2, 1, b"x\0\0\0"), (0x0112, kind, 1, value), (0x0128, 3, 1, b"\2\0\0\0")]
    packed = b""
    for tag, field_kind, count, content in fields:
        if not isinstance(content, bytes):
            content = struct.pack(order + {1: "B3x", 3: "H2x", 4: "I"}[field_kind], content)
        packed += struct.pack(f"{order}HHI", tag, field_kind, count) + content
    return mark + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", 3) + packed + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 3, 4])
@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_read_in_both_byte_orders(value, kind, order):
    assert orientation_of(exif_with(value, order=order, kind=kind)) == value
    assert orientation_of(b"Exif\0\0" + exif_with(value, order=order, kind=kind)) == value


@pytest.mark.parametrize("value", [0, 9, 99, 65535])
def test_a28_unknown_values_count_as_upright(value):
    assert orientation_of(exif_with(value)) == 1


@pytest.mark.parametrize("cut", range(0, 40))
def test_a29_data_that_end_too_early_count_as_upright(cut):
    assert orientation_of(exif_with(6)[:cut]) in (1, 6)
    assert orientation_of(exif_with(6)[: min(cut, 20)]) == 1


@given(st.binary(max_size=60))
def test_a29_any_bytes_give_an_orientation(content):
    for start in (b"", b"Exif\0\0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert orientation_of(start + content) in TURNS


@pytest.mark.parametrize("value", range(1, 9))
def test_what_pillow_writes_is_read(value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert orientation_of(exif.tobytes()) == value
