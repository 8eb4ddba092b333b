"""How many processes a machine is asked for."""

import pytest

from imageloom.errors import GreaterThanError, LessThanOrEqualToError, ParameterParsingError
from imageloom.launch import params
from imageloom.launch.params import LaunchParams, require_processes
from imageloom.spec.scale import Scale


def test_h08_more_processes_than_units_are_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(params, "processing_units", lambda _: 4)
    require_processes(4)
    with pytest.raises(
        LessThanOrEqualToError, match="8 processes per node, but this machine has 4 cores"
    ) as caught:
        require_processes(8)
    assert caught.value.hint == "Use at most 4."


def test_gpus_are_named_where_they_are_what_counts(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(LessThanOrEqualToError, match=r"2 processes per node, .* has 1 GPU"):
        require_processes(2)


def test_no_process_is_too_few():
    with pytest.raises(GreaterThanError, match="processes_per_node is 0"):
        LaunchParams.parse({"processes_per_node": 0})


@pytest.mark.parametrize("nodes", ["abc", "1:2:3", "2:", "1.5"])
def test_what_is_no_number_of_machines_is_told_both_forms(nodes):
    with pytest.raises(ParameterParsingError, match=r"a whole number, or two as MIN:MAX"):
        LaunchParams.parse({"nodes": nodes})


def test_a_range_and_another_minimum_contradict_each_other():
    with pytest.raises(
        ParameterParsingError, match=r'nodes is "1:4", so at least 1 machine .* but min_nodes is 2'
    ):
        LaunchParams.parse({"nodes": "1:4", "min_nodes": 2})
    assert LaunchParams.parse({"nodes": "2:4", "min_nodes": 2}).scale.min_nodes == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"processes_per_node": 2, "wait_for_nodes": 5}, ""),
        ({"processes_per_node": 2, "max_restarts": 3}, "--max-restarts 3"),
        ({"nodes": 2}, "--nodes 2 --processes-per-node 1"),
        (
            {"nodes": "1:3", "processes_per_node": 2, "interface": "eth0", "max_restarts": 3},
            "--nodes 1:3 --processes-per-node 2 --interface eth0 --max-restarts 3",
        ),
        (
            {"nodes": 2, "wait_for_nodes": 86400, "max_restarts": 1},
            "--nodes 2 --processes-per-node 1 --wait-for-nodes 86400 --max-restarts 1",
        ),
    ],
)
def test_a_run_goes_on_with_the_options_of_its_launch(given, words):
    assert " ".join(LaunchParams.parse(given).resume_words) == words


def test_what_is_given_changes_an_earlier_launch_and_nothing_else():
    earlier = LaunchParams.parse({"nodes": "1:3", "processes_per_node": 2})
    assert earlier.changed_by({"interface": "eth0"}) == earlier.replace(interface="eth0")
    two = earlier.changed_by({"nodes": 2})
    assert two.scale == Scale(2, 2, 2)
