"""One component for each family, with the parameters of the old designer."""

import pytest

from imageloom.components.catalogue import load_components
from imageloom.errors import ParameterParsingError, UnknownNameError
from imageloom.models.family import FAMILIES
from imageloom.models.model_directory import load_untrained
from imageloom.models.params import ModelParams
from imageloom.params import describe

COMPONENTS = load_components()
TINY = "timm/test_resnet"


def parameters(name):
    return {one.name: one for one in describe(COMPONENTS.get(name).params)}


def test_every_family_is_a_component():
    models = {one.name: one for one in COMPONENTS if one.category == "Models"}
    assert set(models) == set(FAMILIES.names())
    assert all(models[family.name].title == family.title for family in FAMILIES)


@pytest.mark.parametrize(
    ("name", "network", "option"),
    [
        ("densenet", "densenet201", "memory_efficient"),
        ("resnet", "resnext101_32x8d", "zero_init_residual"),
    ],
)
def test_the_parameters_are_those_of_the_old_designer(name, network, option):
    known = parameters(name)
    assert known["model_name"].default == network
    assert known["model_name"].choices == tuple(
        variant.name for variant in FAMILIES.get(name).variants
    )
    assert known["pretrained"].default is True
    assert known[option].default is False


def test_a_family_has_its_own_options_as_model_params_describes_them():
    options = {one.name: one for one in describe(ModelParams)}
    for family in FAMILIES:
        known = parameters(family.name)
        assert set(known) == {"model_name", "pretrained", *family.options}
        assert all(known[name] == options[name] for name in family.options)


def test_a_network_of_another_family_is_refused():
    with pytest.raises(ParameterParsingError, match=r'model_name is "resnet18", but must be one'):
        COMPONENTS.get("densenet").params.parse({"model_name": "resnet18"})


def test_the_untrained_model_is_the_one_asked_for(make_task):
    component = COMPONENTS.get("resnet")
    params = {"model_name": "resnet18", "pretrained": False, "stem": "small", "dropout": 0.25}
    task = make_task(component, params=params)
    component.run(task)
    model = load_untrained(task.outputs["model"])
    assert model.architecture.variant == "resnet18"
    assert model.architecture.options == {
        "stem": "small",
        "zero_init_residual": False,
        "dropout": 0.25,
    }
    assert model.source.kind == "random"


@pytest.mark.parametrize(("pretrained", "weights"), [(True, "imagenet"), (False, "none")])
def test_pretrained_asks_for_published_weights(make_task, monkeypatch, pretrained, weights):
    asked = []
    # A fake, since the real one would fetch the weights.
    monkeypatch.setattr(
        "imageloom.models.model_directory.create_model",
        lambda name, out, params, **_: asked.append((name, out, params)),
    )
    component = COMPONENTS.get("densenet")
    task = make_task(component, params={"pretrained": pretrained, "memory_efficient": True})
    component.run(task)
    params = ModelParams(weights=weights, memory_efficient=True)
    assert asked == [("densenet201", task.outputs["model"], params)]


@pytest.mark.parametrize("name", [TINY, TINY.removeprefix("timm/")])
def test_a_network_of_timm_is_named_as_text(make_task, name):
    component = COMPONENTS.get("timm")
    task = make_task(component, params={"model_name": name, "pretrained": False})
    component.run(task)
    assert load_untrained(task.outputs["model"]).architecture.variant == TINY


@pytest.mark.parametrize("name", ["timm/no_such_network", "hf-hub:someone/something"])
def test_only_names_of_timm_itself_are_known(make_task, name):
    component = COMPONENTS.get("timm")
    task = make_task(component, params={"model_name": name, "pretrained": False})
    with pytest.raises(UnknownNameError, match="timm has no network called"):
        component.run(task)
