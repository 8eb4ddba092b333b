import pytest

from imageloom.errors import ParameterError
from imageloom.training.params import TrainParams
from imageloom.training.recipes import RECIPES


def test_the_designers_recipe_is_the_defaults():
    assert TrainParams(recipe="designer") == TrainParams()


@pytest.mark.parametrize("name", RECIPES)
def test_every_value_of_a_recipe_is_a_parameter_and_changes_it(name):
    chosen, defaults = TrainParams(recipe=name), TrainParams()
    for parameter, value in RECIPES[name].items():
        assert getattr(chosen, parameter) == value != getattr(defaults, parameter)


def test_what_is_given_wins_over_the_recipe_also_where_it_is_the_default():
    params = TrainParams(recipe="scratch", epochs=5, warmup_epochs=0.0)
    assert (params.epochs, params.warmup_epochs, params.mixup_alpha) == (5, 0.0, 0.2)


def test_what_was_recorded_is_what_is_read_again():
    params = TrainParams(recipe="scratch", epochs=7, mixup_alpha=0.0)
    assert TrainParams.parse(params.model_dump()) == params


@pytest.mark.parametrize("name", ["mine", "", None, ["scratch"], 3])
def test_other_recipes_are_refused(name):
    with pytest.raises(ParameterError, match="recipe"):
        TrainParams.parse({"recipe": name})
