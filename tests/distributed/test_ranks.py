import pytest

from imageloom.distributed.ranks import ALONE, Ranks, ranks_from_environment
from imageloom.errors import EnvironmentUnsuitableError


def test_without_the_variables_of_a_launcher_a_process_is_alone():
    ranks = ranks_from_environment({})
    assert ranks == ALONE
    assert ranks.is_alone
    assert ranks.is_first


def test_the_variables_are_those_of_torch_elastic():
    found = ranks_from_environment(
        {
            "RANK": "5",
            "WORLD_SIZE": "8",
            "LOCAL_RANK": "1",
            "LOCAL_WORLD_SIZE": "4",
            "GROUP_RANK": "1",
        }
    )
    assert found == Ranks(rank=5, world_size=8, local_rank=1, local_world_size=4, node_rank=1)
    assert not found.is_alone
    assert not found.is_first


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RANK": "two", "WORLD_SIZE": "2"}, "RANK is 'two', but must be a whole number"),
        ({"RANK": "0", "WORLD_SIZE": "-2"}, "WORLD_SIZE is '-2', but must be a whole number"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK is 2, but WORLD_SIZE is 2"),
    ],
)
def test_numbers_that_cannot_be_are_refused(environment, message):
    with pytest.raises(EnvironmentUnsuitableError, match=message):
        ranks_from_environment(environment)
