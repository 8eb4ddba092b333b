import pytest

from imageloom.errors import ParameterParsingError
from imageloom.launch.external.roll_call import (
    RollEntry,
    absent,
    require_launch,
    require_same_task,
    who_is_where,
)
from imageloom.launch.params import LaunchParams


def entry(machine, **asked):
    return RollEntry(asked={"out": "/r", **asked}, host=f"host-{machine}", machine=machine)


FOUR = [entry(machine) for machine in ("a", "a", "b", "b")]


def test_ranks_that_were_asked_for_different_things_are_refused_with_both_values():
    require_same_task(FOUR, "srun")
    roll = [*FOUR[:3], entry("b", out="/other")]
    message = "srun started 4 .* but out is /other on rank 3 and /r on rank 0"
    with pytest.raises(ParameterParsingError, match=message):
        require_same_task(roll, "srun")


def test_a_rank_that_goes_on_with_a_run_need_not_name_what_another_one_asks_for():
    require_same_task([entry("a", epochs="3"), entry("a")], "torchrun")


@pytest.mark.parametrize(
    ("launch", "message"),
    [
        ({}, None),
        ({"nodes": 2, "processes_per_node": 2}, None),
        ({"nodes": "1:3"}, None),
        ({"nodes": 3}, "--nodes is 3, but torchrun started 4 processes on 2 machines"),
        ({"processes_per_node": 4}, "--processes-per-node is 4, but torchrun started 4 processes"),
        ({"max_restarts": 1}, "--max-restarts is 1, but torchrun started"),
    ],
)
def test_options_of_our_launcher_must_be_what_is_there(launch, message):
    params = LaunchParams.parse(launch)
    if message is None:
        require_launch(params, FOUR, "torchrun")
        return
    with pytest.raises(ParameterParsingError, match=message):
        require_launch(params, FOUR, "torchrun")


def test_who_is_where_and_who_is_not_there_are_said_in_one_line():
    assert who_is_where(FOUR) == "0, 1 on host-a, 2, 3 on host-b"
    assert absent([2], 4) == "Rank 2 of 4"
    assert absent(range(1, 12), 12) == "Ranks 1, 2, 3, 4, 5, 6, 7, 8 and 3 more of 12"
