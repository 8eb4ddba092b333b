"""Flags are the parameters: same names, defaults, bounds and errors."""

from typing import Literal

import click
import pytest
from click.testing import CliRunner

from imageloom.cli.flags import (
    ParameterType,
    SectionedCommand,
    facts,
    given_values,
    parameter_option,
    parameter_options,
    read_params,
)
from imageloom.data.params import ConvertParams, SplitParams
from imageloom.errors import (
    GreaterThanError,
    GreaterThanOrEqualToError,
    LessThanOrEqualToError,
    NotInRangeValueError,
    ParameterError,
    ParameterParsingError,
)
from imageloom.models.params import ModelParams
from imageloom.params import Params, describe, parameter
from imageloom.scoring.params import EvaluateParams, ScoreParams
from imageloom.training.params import TrainParams

ALL = (ConvertParams, SplitParams, ModelParams, TrainParams, ScoreParams, EvaluateParams)


class Toy(Params):
    """A parameter set with one of each kind."""

    count: int = parameter(5, help="How many.", unit="things", gt=0, le=1000)
    rate: float = parameter(0.5, help="How fast.", ge=0.1, lt=2)
    colour: Literal["red", "green"] = parameter("red", help="Which colour.")
    loud: bool = parameter(False, help="Whether it is loud.")
    quick: bool = parameter(True, help="Whether it is quick.")
    name: str = parameter("x", help="Its name.")
    size: int | None = parameter(None, help="Its size.", unit="pixels", ge=1)
    depth: int | None = parameter(3, help="Its depth.")


def parsed(params: type[Params], *words: str) -> Params:
    """Return the parameter set that a command line gives, as a command sees it."""
    seen: list[Params] = []

    @click.command(cls=SectionedCommand)
    @parameter_options(params, section="Toy")
    @click.pass_context
    def command(ctx: click.Context, **_values: object) -> None:
        seen.append(read_params(params, given_values(ctx)))

    result = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen[0]


def help_of(params: type[Params]) -> str:
    @click.command(cls=SectionedCommand)
    @parameter_options(params, section="Toy")
    def command(**_values: object) -> None: ...

    return CliRunner().invoke(command, ["--help"], terminal_width=200).output


@pytest.mark.parametrize("params", ALL)
def test_no_flag_gives_the_defaults(params):
    assert parsed(params) == params()


@pytest.mark.parametrize("params", ALL)
def test_every_default_can_be_written_out(params):
    words: list[str] = []
    for one in describe(params):
        if one.kind == "bool":
            words.append(one.flag if one.default else f"--no-{one.flag.removeprefix('--')}")
        else:
            words += [one.flag, "none" if one.default is None else str(one.default)]
    assert parsed(params, *words) == params()


@pytest.mark.parametrize("params", ALL)
def test_the_help_says_everything_of_every_parameter(params):
    text = " ".join(help_of(params).split())
    for one in describe(params):
        assert one.flag in text
        assert one.help in text
        assert facts(one) in text
        for choice in one.choices:
            assert choice in text


def test_values_of_each_kind():
    toy = parsed(
        Toy,
        *("--count", "7", "--rate", "1e-1", "--colour", "green", "--loud", "--no-quick"),
        *("--name", "007", "--size", "64", "--depth", "none"),
    )
    assert toy.model_dump() == {
        "count": 7,
        "rate": 0.1,
        "colour": "green",
        "loud": True,
        "quick": False,
        "name": "007",
        "size": 64,
        "depth": None,
    }


def test_a_negative_number_is_a_value_and_no_flag():
    assert parsed(TrainParams, "--seed", "-3").seed == -3


def test_none_as_text_stays_text_where_text_is_meant():
    assert parsed(ModelParams, "--weights", "none").weights == "none"


@pytest.mark.parametrize("flag", ["--epochs", "--batch-size", "--patience", "--print-frequency"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("0", GreaterThanError),
        ("-1", GreaterThanError),
        ("1.5", ParameterParsingError),
        ("", ParameterParsingError),
        ("null", ParameterParsingError),
        ("NaN", ParameterParsingError),
        ("True", ParameterParsingError),
        ("1e3", ParameterParsingError),
        ("٣", ParameterParsingError),
        ("1_000", ParameterParsingError),
        (f"{10**30}", LessThanOrEqualToError),
        ("9" * 5000, ParameterParsingError),
    ],
)
def test_f01_a_count_that_cannot_be_used_is_named(flag, value, error):
    name = flag.removeprefix("--").replace("-", "_")
    with pytest.raises(error, match=name):
        parsed(TrainParams, flag, value)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("0", GreaterThanOrEqualToError),
        ("-1", GreaterThanOrEqualToError),
        ("1e-320", GreaterThanOrEqualToError),
        ("inf", NotInRangeValueError),
        ("nan", NotInRangeValueError),
        ("2.1", LessThanOrEqualToError),
        ("0,1", ParameterParsingError),
        ("", ParameterParsingError),
    ],
)
def test_f02_a_learning_rate_that_cannot_be_used_is_named(value, error):
    with pytest.raises(error, match="learning_rate"):
        parsed(TrainParams, "--learning-rate", value)


def test_f02_scientific_form_is_understood():
    assert parsed(TrainParams, "--learning-rate", "1e-3").learning_rate == 0.001


def test_a_wrong_choice_is_our_error_and_lists_the_choices():
    with pytest.raises(ParameterParsingError, match="one of sgd, adamw"):
        parsed(TrainParams, "--optimizer", "adam")


def test_all_wrong_values_are_reported_together():
    with pytest.raises(ParameterError) as caught:
        parsed(TrainParams, "--epochs", "0", "--learning-rate", "9")
    assert "epochs is 0" in caught.value.message
    assert "learning_rate is 9.0" in caught.value.message


def test_options_stand_under_their_headings_and_shared_ones_last():
    @click.command(cls=SectionedCommand)
    @parameter_options(SplitParams, section="Split")
    @parameter_options(ModelParams, section="Network")
    def command(**_values: object) -> None: ...

    text = CliRunner().invoke(command, ["--help"]).output
    places = [text.index(f"{heading}:\n") for heading in ("Split", "Network", "Options")]
    assert places == sorted(places)
    assert text.index("Split:") < text.index("--fraction") < text.index("Network:")


def test_flags_follow_the_order_of_declaration():
    text = help_of(TrainParams)
    places = [text.index(f"  {one.flag} ") for one in describe(TrainParams)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("params", "others"), [(TrainParams, ModelParams), (ModelParams, TrainParams)]
)
def test_flags_of_one_command_do_not_collide(params, others):
    names = {one.name for one in describe(params)} | {"model", "training", "validation", "out"}
    assert names.isdisjoint({one.name for one in describe(others)} - {"model"})


def test_shells_are_offered_the_choices():
    colour = next(one for one in describe(Toy) if one.name == "colour")
    option = parameter_option(colour, "Toy")
    assert isinstance(option.type, ParameterType)
    context = click.Context(click.Command("toy"))
    offered = option.type.shell_complete(context, option, "g")
    assert [item.value for item in offered] == ["green"]
