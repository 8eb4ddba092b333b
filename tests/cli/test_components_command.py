"""``imageloom components``: everything that a pipeline can be made of."""

import json

import pytest

from imageloom.cli.components import first_sentence
from imageloom.cli.root import run
from imageloom.components.catalogue import load_components
from imageloom.params import describe


def test_the_list_has_every_component_once_below_its_category(capsys):
    assert run(["components"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for component in load_components():
        assert sum(component.name in line[:48].split() for line in lines) == 1, component.name


@pytest.mark.parametrize("name", load_components().names())
def test_a_component_is_explained_with_ports_parameters_and_errors(name, capsys):
    component = load_components().get(name)
    assert run(["components", name, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    ports = (*component.inputs, *component.outputs)
    listed = {port["name"]: port["type"] for port in (*content["inputs"], *content["outputs"])}
    assert listed == {port.name: port.type for port in ports}
    assert run(["components", name]) == 0
    text = capsys.readouterr().out
    for word in (component.title, *(port.type for port in ports)):
        assert word in text
    for parameter in describe(component.params):
        assert parameter.name in text
        assert parameter.name in {one["name"] for one in content["parameters"]}
    for error in component.errors:
        assert error.__name__ in text
    assert ("processes_per_node" in text) == component.has_run_settings


def test_a_misspelt_component_is_answered_with_the_nearest(capsys):
    assert run(["components", "densnet"]) == 1
    assert "Did you mean densenet" in capsys.readouterr().err


def test_the_first_sentence_is_what_ends_in_a_point_and_a_space():
    assert first_sentence("As timm/x.y does. And more.") == "As timm/x.y does."
    assert first_sentence("One only.") == "One only."
