import os

import pytest
import torch

from imageloom.distributed.ranks import Ranks, StartedRank
from imageloom.errors import EnvironmentUnsuitableError
from imageloom.launch.external import surroundings as rank_surroundings
from imageloom.launch.external.surroundings import on_network, on_own_cores, own_cores, this_machine
from imageloom.launch.network import addresses

LOOPBACK = next(name for name, address in addresses().items() if address == "127.0.0.1")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_two_containers_of_a_host_are_two_machines():
    first, second = (StartedRank("torchrun", rank, 2, 0, 1, rank) for rank in (0, 1))
    assert this_machine(first) == this_machine(first)
    assert this_machine(first) != this_machine(second)


def test_the_network_is_the_one_that_leads_to_where_the_ranks_meet():
    with on_network("", "127.0.0.1"):
        assert os.environ["GLOO_SOCKET_IFNAME"] == LOOPBACK
        assert "NCCL_SOCKET_IFNAME" not in os.environ
    assert "GLOO_SOCKET_IFNAME" not in os.environ
    with on_network(LOOPBACK, "10.0.0.4"):
        assert os.environ["NCCL_SOCKET_IFNAME"] == f"={LOOPBACK}"
    with on_network("", ""):
        assert "GLOO_SOCKET_IFNAME" not in os.environ


def test_a_network_that_somebody_chose_stays(monkeypatch):
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "ib0")
    with on_network("", "127.0.0.1"):
        assert os.environ["GLOO_SOCKET_IFNAME"] == "ib0"
    assert os.environ["GLOO_SOCKET_IFNAME"] == "ib0"


def test_an_interface_that_is_not_there_is_refused():
    with (
        pytest.raises(EnvironmentUnsuitableError, match="no network interface 'nowhere0'"),
        on_network("nowhere0", ""),
    ):
        pytest.fail("it is there")


def test_ranks_that_share_cores_have_as_many_threads_together_as_there_are(monkeypatch):
    assert own_cores() == tuple(sorted(os.sched_getaffinity(0)))
    monkeypatch.setattr(rank_surroundings, "available_cores", lambda: 6)
    before = torch.get_num_threads()
    with on_own_cores(Ranks(0, 4, core_sharers=2)):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == before
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with on_own_cores(Ranks(0, 4, core_sharers=2)):
        assert torch.get_num_threads() == before
