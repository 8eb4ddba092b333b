"""On how many machines and processes something runs, however it was asked for."""

import pytest

from imageloom.launch.params import LaunchParams
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.scale import Scale


@pytest.mark.parametrize(
    ("scale", "is_elastic", "world_size", "slurm"),
    [
        (Scale(), False, 1, "1"),
        (Scale(4, 4, 2), False, 8, "4"),
        (Scale(2, 4, 3), True, 12, "2-4"),
    ],
)
def test_machines_may_come_and_go_where_fewer_are_enough(scale, is_elastic, world_size, slurm):
    assert (scale.is_elastic, scale.world_size) == (is_elastic, world_size)
    assert scale.node_range("-") == slurm


@pytest.mark.parametrize(
    ("settings", "flags", "scale"),
    [
        ({}, {}, Scale()),
        ({"node_count": 2}, {"nodes": 2}, Scale(2, 2)),
        (
            {"node_count": 3, "min_node_count": 1, "processes_per_node": 4, "max_restarts": 5},
            {"nodes": "1:3", "processes_per_node": 4, "max_restarts": 5},
            Scale(1, 3, 4, 5),
        ),
    ],
)
def test_a_node_and_a_command_that_ask_for_the_same_have_the_same_scale(settings, flags, scale):
    assert RunSettings.parse(settings).scale == scale
    assert LaunchParams.parse(flags).scale == scale
    assert LaunchParams.of(scale).scale == scale
