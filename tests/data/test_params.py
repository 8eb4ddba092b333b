import pytest

from imageloom.data.decoding.pixel_limits import PILLOW_MAX_PIXELS
from imageloom.data.params import ConvertParams, SplitParams
from imageloom.errors import (
    GreaterThanError,
    LessThanOrEqualToError,
    NotInRangeValueError,
    ParameterError,
    ParameterParsingError,
)


@pytest.mark.parametrize("fraction", [0.0, 1.0, float("nan"), -0.1, 2])
def test_c09_a_fraction_outside_0_to_1_is_refused_before_any_picture_is_read(fraction):
    with pytest.raises(ParameterError, match="fraction is"):
        SplitParams.parse({"fraction": fraction})


def test_c09_nan_and_both_ends_are_refused_by_name():
    with pytest.raises(NotInRangeValueError, match="fraction is nan"):
        SplitParams.parse({"fraction": float("nan")})
    with pytest.raises(GreaterThanError, match="fraction is 0"):
        SplitParams.parse({"fraction": 0.0})


def test_the_optional_third_fraction_may_come_as_text_as_flags_send_it():
    assert SplitParams.parse({"third_fraction": "0.1"}).third_fraction == 0.1
    assert SplitParams.parse({"third_fraction": None}).third_fraction is None
    with pytest.raises(ParameterParsingError, match="third_fraction is"):
        SplitParams.parse({"third_fraction": "0,1"})


def test_the_pixel_limit_cannot_be_raised_above_what_pillow_opens_without_a_warning():
    assert ConvertParams(max_pixels=PILLOW_MAX_PIXELS).max_pixels == PILLOW_MAX_PIXELS
    with pytest.raises(LessThanOrEqualToError, match="at most 89,478,485"):
        ConvertParams.parse({"max_pixels": PILLOW_MAX_PIXELS + 1})
