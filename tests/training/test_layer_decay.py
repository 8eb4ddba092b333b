"""The rate of each layer, against timm's own function for it."""

import dataclasses
import functools

import pytest
import timm.optim
import torch

from imageloom.errors import NotInRangeValueError, ParameterParsingError
from imageloom.models.architecture import build_network, layer_numbers, resolve_architecture
from imageloom.models.family import FAMILIES
from imageloom.models.params import ModelParams
from imageloom.training.checkpoints.optimizer_state import flatten_optimizer
from imageloom.training.optimizer import make_optimizer, refuse_idle_layer_decay, set_rate
from imageloom.training.params import TrainParams

DECAYED = TrainParams(layer_decay=0.75, weight_decay=0.05)
# timm's own, the plainest of each way in which it tells layers apart.
OF_TIMM = ("timm/test_resnet", "timm/test_vit", "timm/test_convnext", "timm/test_efficientnet")


@functools.cache
def on_meta(name):
    architecture = resolve_architecture(name, ModelParams())
    with torch.device("meta"):
        return architecture, build_network(architecture, 7)


def found(name, rate=1.0, params=DECAYED):
    """Return rate and weight decay of each parameter, by its name."""
    architecture, network = on_meta(name)
    optimizer = make_optimizer(network, params, architecture)
    set_rate(optimizer, rate)
    names = {id(parameter): key for key, parameter in network.named_parameters()}
    return {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def expected(network, rate=1.0):
    """Return the same of timm's function."""
    groups = timm.optim.param_groups_layer_decay(network, weight_decay=0.05, layer_decay=0.75)
    names = {id(parameter): key for key, parameter in network.named_parameters()}
    return {
        names[id(parameter)]: (rate * group["lr_scale"], group["weight_decay"])
        for group in groups
        for parameter in group["params"]
    }


@pytest.mark.parametrize("name", OF_TIMM)
def test_each_parameter_of_a_network_of_timm_has_the_rate_that_timm_gives_it(name):
    assert found(name, 0.4) == expected(on_meta(name)[1], 0.4)
    assert len({rate for rate, _ in found(name).values()}) > 2


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121"])
def test_each_parameter_has_the_rate_that_timm_gives_it_by_stages(name):
    """timm's network of the same name has the same names of parameters."""
    with torch.device("meta"):
        theirs = timm.create_model(name, num_classes=7)
    by_blocks = theirs.group_matcher
    theirs.group_matcher = lambda **_: by_blocks(coarse=True)  # stages
    assert found(name) == expected(theirs)


def test_six_layers_have_the_powers_of_the_decay():
    rates = {name: rate for name, (rate, _) in found("resnet18", 0.1).items()}
    for number, name in enumerate(
        ("conv1.weight", *(f"layer{n}.0.bn1.weight" for n in range(1, 5)), "fc.bias")
    ):
        assert rates[name] == pytest.approx(0.1 * 0.75 ** (5 - number))


def test_one_rate_for_all_is_as_without():
    architecture, network = on_meta("resnet18")
    one = make_optimizer(network, TrainParams(), architecture)
    assert [len(group["params"]) for group in one.param_groups] == [21, 41]
    assert flatten_optimizer(one)[1] == flatten_optimizer(make_optimizer(network, TrainParams()))[1]


@pytest.mark.parametrize("family", FAMILIES.names())
def test_layers_are_numbered_without_a_gap_up_to_the_head(family):
    name = {"resnet": "resnet18", "densenet": "densenet121", "timm": "timm/test_vit"}[family]
    architecture, network = on_meta(name)
    numbers = layer_numbers(architecture, network)
    assert set(numbers) == {key for key, _ in network.named_parameters()}
    last = max(numbers.values())
    assert set(numbers.values()) == set(range(last + 1))
    head = FAMILIES.get(family).head_modules(network)[0]
    assert numbers[f"{head}.weight"] == last


def test_a_network_of_timm_without_groups_has_12_tensors_in_each():
    architecture, network = on_meta("timm/poolformer_s12")
    assert not hasattr(network, "group_matcher")
    numbers = layer_numbers(architecture, network)
    body = [number for key, number in numbers.items() if not key.startswith("head.fc")]
    assert body == [place // 12 for place in range(len(body))]


def test_a_family_without_layers_is_refused(monkeypatch):

    architecture, network = on_meta("resnet18")
    without = dataclasses.replace(FAMILIES.get("resnet"), layers=None)
    monkeypatch.setitem(FAMILIES._items, "resnet", without)
    with pytest.raises(NotInRangeValueError, match="layer_decay needs to know the layers"):
        make_optimizer(network, DECAYED, architecture)


def test_a_frozen_body_has_no_rates_to_decay():
    with pytest.raises(ParameterParsingError, match=r"layer_decay is 0\.75, but with freeze"):
        refuse_idle_layer_decay(DECAYED.replace(freeze="body"))
    refuse_idle_layer_decay(TrainParams(freeze="body"))
