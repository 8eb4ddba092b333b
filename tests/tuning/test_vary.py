"""What is to be varied is read as people write it, and checked before anything runs."""

import pytest

from imageloom.errors import (
    GreaterThanError,
    LessThanOrEqualToError,
    ParameterParsingError,
    UnknownNameError,
)
from imageloom.tuning.vary import ChoiceList, NumberRange, read_varied


def spaces(engine, hill, *texts):
    return [one.space for one in read_varied(texts, hill(), engine.components)]


def test_ranges_and_lists_are_read(engine, hill):
    assert spaces(engine, hill, "hill.rate=1e-4..1:log") == [NumberRange(1e-4, 1.0, is_log=True)]
    assert spaces(engine, hill, "hill.rate=.5..1") == [NumberRange(0.5, 1.0)]
    assert spaces(engine, hill, "hill.width=2..64:log") == [
        NumberRange(2, 64, is_whole=True, is_log=True)
    ]
    assert spaces(engine, hill, "hill.width=8,16", "hill.shape=round,square") == [
        ChoiceList((8, 16)),
        ChoiceList(("round", "square")),
    ]


def test_text_with_two_points_is_a_text_where_the_parameter_is_one(engine, hill):
    assert spaces(engine, hill, "hill.gate=../a,../b") == [ChoiceList(("../a", "../b"))]


def test_a_parameter_that_has_another_name_today_is_found_by_its_old_one(engine, hill):
    (varied,) = read_varied(["hill.speed=0.1,0.2"], hill(), engine.components)
    assert varied.name == "hill.rate"
    assert varied.change(0.1) == "hill.rate=0.1"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("hill.rate", ParameterParsingError, "says no parameter or no values"),
        ("rate=1..2", ParameterParsingError, "says no parameter or no values"),
        ("hill.rate=", ParameterParsingError, "says no parameter or no values"),
        ("hil.rate=0.1..1", UnknownNameError, "There is no node called 'hil'"),
        ("hill.rat=0.1..1", UnknownNameError, "There is no parameter of 'hill' called 'rat'"),
        ("hill.rate=0..1", GreaterThanError, r"0\.\.1: rate is 0.0, but must be greater than 0"),
        ("hill.width=1..200", LessThanOrEqualToError, "width is 200, but must be at most 100"),
        ("hill.width=1,200", LessThanOrEqualToError, "width is 200, but must be at most 100"),
        ("hill.width=1.5..9", ParameterParsingError, "'1.5' where a whole number belongs"),
        ("hill.rate=low..1", ParameterParsingError, "'low' where a number belongs"),
        ("hill.rate=nan..1", ParameterParsingError, "'nan' where a number belongs"),
        ("hill.rate=1..0.1", ParameterParsingError, "begins at 1, which is not below its end 0.1"),
        ("hill.rate=0..1:log", ParameterParsingError, "begins at 0, but a logarithm needs"),
        ("hill.rate=0.1..1:lin", ParameterParsingError, "':lin', but only ':log'"),
        ("hill.rate=0.1", ParameterParsingError, "has only one value"),
        ("hill.rate=0.1,0.1", ParameterParsingError, "has only one value, or one twice"),
        ("hill.rate=0.1,0.10,0.2", ParameterParsingError, "has only one value, or one twice"),
        ("hill.shape=round,oval", ParameterParsingError, 'shape is "oval", but must be one of'),
        ("hill.extra=a,b", ParameterParsingError, "names a list of texts"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_its_text(engine, hill, text, error, message):
    with pytest.raises(error, match=message):
        read_varied([text], hill(), engine.components)


def test_nothing_and_one_parameter_twice_are_refused(engine, hill):
    with pytest.raises(ParameterParsingError, match="Nothing is varied"):
        read_varied([], hill(), engine.components)
    with pytest.raises(ParameterParsingError, match="rate is varied twice"):
        read_varied(["hill.rate=0.1,1", "hill.speed=1..2"], hill(), engine.components)
