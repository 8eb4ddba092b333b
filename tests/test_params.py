"""Parameters: one description, and errors that name the field, the value and the bound."""

import math
from typing import Literal

import pytest

from imageloom.data.params import SplitParams
from imageloom.errors import (
    GreaterThanError,
    GreaterThanOrEqualToError,
    LessThanOrEqualToError,
    NotInRangeValueError,
    ParameterError,
    ParameterParsingError,
    UnknownNameError,
)
from imageloom.params import Params, ShownWhen, describe, parameter
from imageloom.training.params import TrainParams


class Toy(Params):
    """A parameter set with one of each kind."""

    count: int = parameter(5, help="How many.", unit="things", gt=0, le=1000)
    rate: float = parameter(
        0.5,
        help="How fast.",
        ge=0.1,
        lt=2,
        section="Speed",
        shown_when=ShownWhen("colour", ("red",)),
    )
    colour: Literal["red", "green"] = parameter("red", help="Which colour.")
    loud: bool = parameter(False, help="Whether it is loud.")
    name: str = parameter("x", help="Its name.")
    size: int | None = parameter(None, help="Its size.", unit="pixels", ge=1)
    number: int = parameter(1, help="Any.", ge=-(2**63), lt=2**63)
    words: tuple[str, ...] = parameter((), help="Some words.")


def test_description_says_everything_a_form_needs():
    count, rate, colour, loud, name, size, number, words = describe(Toy)
    assert (count.name, count.kind, count.default, count.unit) == ("count", "int", 5, "things")
    assert count.range_text == "> 0 and <= 1,000"
    assert (count.minimum, count.maximum, count.exclusive) == (0, 1000, ("minimum",))
    assert count.help == "How many."
    assert rate.range_text == ">= 0.1 and < 2"
    assert (rate.minimum, rate.maximum, rate.exclusive) == (0.1, 2, ("maximum",))
    assert (rate.section, rate.shown_when) == ("Speed", ShownWhen("colour", ("red",)))
    assert (colour.kind, colour.choices) == ("choice", ("red", "green"))
    assert (loud.kind, loud.default) == ("bool", False)
    assert (name.section, name.shown_when) == ("", None)
    assert (name.kind, name.default, name.range_text) == ("str", "x", "")
    assert (size.kind, size.optional, size.default) == ("int", True, None)
    assert not count.optional
    assert (number.minimum, number.maximum, number.exclusive) == (None, None, ())
    assert number.range_text == "", "the bounds of a 64-bit integer are no choice of a person"
    assert (words.kind, words.default) == ("list", ())


def test_a_list_of_a_file_becomes_a_tuple_and_holds_texts_only():
    assert Toy.parse({"words": ["one", "two"]}).words == ("one", "two")
    for wrong in ("one", ["one", 2], 3):
        with pytest.raises(
            ParameterParsingError, match=r"words is .*, but must be a list of texts"
        ):
            Toy.parse({"words": wrong})


def test_a_flag_is_the_name_with_dashes():
    flags = {one.name: one.flag for one in describe(TrainParams)}
    assert flags["batch_size"] == "--batch-size"


def test_defaults_are_used_and_values_are_frozen():
    toy = Toy.parse({"count": 7})
    assert (toy.count, toy.rate, toy.colour) == (7, 0.5, "red")
    with pytest.raises(ValueError, match="frozen"):
        toy.count = 8


def test_replace_checks_again():
    assert Toy().replace(count=9).count == 9
    with pytest.raises(GreaterThanError, match="count is 0"):
        Toy().replace(count=0)


@pytest.mark.parametrize("field", ["epochs", "batch_size", "patience", "print_frequency"])
@pytest.mark.parametrize("value", [0, -1])
def test_f01_counts_must_be_greater_than_zero(field, value):
    with pytest.raises(GreaterThanError, match=f"{field} is {value}, but must be greater than 0"):
        TrainParams.parse({field: value})


@pytest.mark.parametrize("field", ["epochs", "batch_size", "patience", "print_frequency"])
@pytest.mark.parametrize("value", [1.5, "5", "", None, math.nan, True, [], {}, "null"])
def test_f01_counts_must_be_whole_numbers(field, value):
    with pytest.raises(ParameterParsingError, match=f"{field} is .*must be a whole number"):
        TrainParams.parse({field: value})


@pytest.mark.parametrize("field", ["epochs", "batch_size", "patience", "print_frequency"])
def test_f01_a_count_of_ten_to_the_thirty_is_above_the_bound(field):
    with pytest.raises(LessThanOrEqualToError, match=f"{field} is 10*, but must be at most"):
        TrainParams.parse({field: 10**30})


@pytest.mark.parametrize("value", [0, -1, 0.0, 1e-320])
def test_f02_a_learning_rate_has_a_least_value(value):
    with pytest.raises(GreaterThanOrEqualToError, match=r"learning_rate is .* at least 2.2e-16"):
        TrainParams.parse({"learning_rate": value})


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "nan", "inf"])
def test_f02_a_learning_rate_is_finite(value):
    with pytest.raises(NotInRangeValueError, match=r"learning_rate is .* must be a finite number"):
        TrainParams.parse({"learning_rate": value})


def test_f02_text_in_scientific_form_is_a_number():
    assert TrainParams.parse({"learning_rate": "1e-3"}).learning_rate == 0.001


def test_text_is_a_number_also_where_none_is_the_default():
    assert SplitParams.parse({"third_fraction": "0.1"}).third_fraction == 0.1
    assert SplitParams.parse({"third_fraction": None}).third_fraction is None


def test_f02_a_comma_gets_its_own_hint():
    with pytest.raises(ParameterParsingError, match='learning_rate is "0,1"') as caught:
        TrainParams.parse({"learning_rate": "0,1"})
    assert caught.value.hint == "Write the fraction with a point, as in 0.1."


@pytest.mark.parametrize("value", [True, None, [], "", "fast", "0x1p3"])
def test_f02_what_is_no_number_is_refused(value):
    with pytest.raises(ParameterParsingError, match=r"learning_rate is .* must be a number"):
        TrainParams.parse({"learning_rate": value})


def test_a_wrong_choice_lists_the_right_ones():
    with pytest.raises(ParameterParsingError, match=r'colour is "blue".* one of red, green'):
        Toy.parse({"colour": "blue"})


def test_text_is_no_switch():
    with pytest.raises(ParameterParsingError, match='loud is "yes", but must be true or false'):
        Toy.parse({"loud": "yes"})


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="no parameter called 'epoch'") as caught:
        TrainParams.parse({"epoch": 5})
    assert "Did you mean epochs" in caught.value.hint


def test_all_problems_are_reported_together_under_the_name_of_the_first():
    with pytest.raises(GreaterThanError) as caught:
        Toy.parse({"count": 0, "rate": 2.5, "colour": "blue"})
    lines = caught.value.message.splitlines()
    assert lines == [
        "count is 0, but must be greater than 0.",
        "rate is 2.5, but must be less than 2.0.",
        'colour is "blue", but must be one of red, green.',
    ]
    assert caught.value.details["parameter"] == "count"


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(ParameterError) as caught:
        Toy.parse({"count": "9" * 5000})
    assert len(caught.value.message) < 200


def test_none_is_a_value_only_where_it_is_allowed():
    assert Toy.parse({"size": None}).size is None
    with pytest.raises(ParameterParsingError, match="count is None"):
        Toy.parse({"count": None})


@pytest.mark.parametrize("value", [-(2**63), 0, 2**63 - 1])
def test_a_seed_may_be_any_64_bit_number(value):
    assert TrainParams.parse({"seed": value}).seed == value


@pytest.mark.parametrize("value", [-(2**63) - 1, 2**63])
def test_a_seed_beyond_64_bits_is_refused(value):
    with pytest.raises(ParameterError, match="seed is"):
        TrainParams.parse({"seed": value})


class Titled(Params):
    """A parameter with a label of its own, and one that changes no result."""

    seed: int = parameter(1, help="Start.", title="Random seed")
    batch_size: int = parameter(16, help="Pictures per step.")
    workers: int = parameter(0, help="Processes.", affects_output=False)


def test_a_label_is_the_title_or_made_from_the_name():
    assert [one.title for one in describe(Titled)] == ["Random seed", "Batch size", "Workers"]


def test_values_that_change_no_result_are_left_out_of_what_results_depend_on():
    assert Titled(workers=8).output_values() == {"seed": 1, "batch_size": 16}
    assert Titled(seed=2).output_values() != Titled().output_values()


def test_values_that_do_not_fit_raise_the_same_error_in_python_as_on_the_command_line():
    with pytest.raises(NotInRangeValueError, match="fraction is 3, but must be less than 1"):
        SplitParams(fraction=3)
    with pytest.raises(UnknownNameError, match="fractoin"):
        SplitParams(fractoin=0.5)
