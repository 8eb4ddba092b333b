"""Machines without a scheduler: a process of this machine, with more nodes and an interface."""

import dataclasses
import json

import pytest

from imageloom.launch.network import addresses
from imageloom.spec.scale import Scale
from imageloom.spec.target import Work
from imageloom.targets.local import LocalTarget
from imageloom.targets.machines import MachinesOptions, MachinesTarget

from .test_local import wait_for_end

SHOW = "import json, os; json.dump(dict(os.environ), open({file!r}, 'w'))"


@pytest.fixture
def here():
    return LocalTarget()


def target(here, **options):
    return MachinesTarget("lab", MachinesOptions.parse(options), here=lambda: here)


def test_limits_are_those_of_this_machine_but_for_the_number_of_machines(here):
    own = {"nodes": 64, "interfaces": tuple(addresses())}
    assert target(here).limits == dataclasses.replace(here.limits, **own)
    limits = target(here, max_nodes=3, processing_units_per_node=5).limits
    assert (limits.nodes, limits.processing_units_per_node) == (3, 5)


def test_the_interface_of_the_target_comes_before_that_of_the_environment(here):
    with_variable = {"IMAGELOOM_INTERFACE": "ib0"}
    for options, expected in (({}, "ib0"), ({"interface": "eth7"}, "eth7")):
        on = MachinesTarget("lab", MachinesOptions.parse(options), lambda: here, with_variable)
        assert on.limits.interface == expected


@pytest.mark.parametrize(("options", "expected"), [({"interface": "eth7"}, "eth7"), ({}, None)])
def test_the_leader_is_told_the_interface_and_whatever_the_work_says(
    here, tmp_path, options, expected
):
    file = tmp_path / "environment.json"
    program = ("-c", SHOW.format(file=str(file)))
    on = target(here, **options)
    on.start(tmp_path, Work(program, scale=Scale(1, 2), environment={"IMAGELOOM_TOY": "yes"}))
    assert wait_for_end(on, tmp_path).reason == "ended with exit code 0"
    seen = json.loads(file.read_text(encoding="utf-8"))
    assert (seen.get("IMAGELOOM_INTERFACE"), seen["IMAGELOOM_TOY"]) == (expected, "yes")
