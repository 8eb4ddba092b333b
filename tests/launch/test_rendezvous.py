"""How machines find the one that leads, and what they need for it."""

import errno
import socket
import stat
import sys
from pathlib import Path

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.events import Control
from imageloom.launch import network
from imageloom.launch.cluster import agent_command as bring
from imageloom.launch.cluster.agent_command import brought_agents
from imageloom.launch.cluster.leader import Leader
from imageloom.launch.cluster.rendezvous import LeaderAddress, MeetingPlace
from imageloom.launch.cluster.team import Hall, Team
from imageloom.launch.network import (
    address_of,
    addresses,
    interface_of,
    interface_variables,
    sole_interface,
)
from imageloom.resume_command import Resume
from imageloom.spec.scale import Scale

LEADER = LeaderAddress(address="10.0.0.4", port=29400, token="0123")


def test_one_leads_at_a_time_and_the_next_one_after_it(tmp_path):
    place = MeetingPlace(tmp_path)
    with place.leading("one") as first:
        assert first
        with MeetingPlace(tmp_path).leading("other") as second:
            assert not second
    with place.leading("other") as third:
        assert third


def test_s10_the_token_is_for_this_user_only(tmp_path):
    place = MeetingPlace(tmp_path)
    assert place.find() is None
    place.announce(LEADER)
    assert place.find() == LEADER
    assert stat.S_IMODE((place.folder / "leader.json").stat().st_mode) == 0o600
    place.announce(LEADER.model_copy(update={"port": 1}))
    assert place.find().port == 1
    place.forget()
    assert place.find() is None


def test_an_address_that_is_replaced_while_it_is_read_is_none_for_now(tmp_path, monkeypatch):
    def stale(_path):
        raise OSError(errno.ESTALE, "Stale file handle")

    # A stand-in for NFS.
    monkeypatch.setattr(Path, "read_bytes", stale)
    assert MeetingPlace(tmp_path).find() is None


@pytest.mark.parametrize("content", ["", "{", '{"address": "10.0.0.4"}'])
def test_an_address_that_cannot_be_read_is_none(tmp_path, content):
    place = MeetingPlace(tmp_path)
    place.announce(LEADER)
    (place.folder / "leader.json").write_text(content)
    assert place.find() is None


def test_interfaces_and_addresses_lead_to_each_other():
    found = addresses()
    assert "127.0.0.1" in found.values()
    for name, address in found.items():
        assert address_of(name) == address
        assert addresses()[interface_of(address)] == address
    assert interface_of("192.0.2.1") == ""


@pytest.mark.parametrize(
    ("found", "sole"),
    [
        ({"lo": "127.0.0.1", "eth0": "10.0.0.4"}, "eth0"),
        ({"lo": "127.0.0.1", "eth0": "10.0.0.4", "ib0": "10.1.0.4"}, ""),
        ({"lo": "127.0.0.1"}, ""),
    ],
)
def test_an_interface_is_chosen_only_where_there_is_no_choice(monkeypatch, found, sole):
    monkeypatch.setattr(network, "addresses", lambda: found)
    assert sole_interface() == sole


def test_nccl_is_told_the_whole_name_of_the_interface():
    assert interface_variables("eth1") == {
        "GLOO_SOCKET_IFNAME": "eth1",
        "NCCL_SOCKET_IFNAME": "=eth1",
    }
    assert interface_variables("") == {}


def test_an_interface_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(EnvironmentUnsuitableError, match="no network interface 'ib7'") as error:
        address_of("ib7")
    assert all(name in error.value.hint for name in addresses())


AGENTS = "import sys, time; open(sys.argv[1], 'w').close(); time.sleep(float(sys.argv[2]))"


def test_agents_are_started_with_the_run_and_are_gone_afterwards(tmp_path, wait_until):
    mark = tmp_path / "mark"
    with brought_agents([sys.executable, "-c", AGENTS, str(mark), "0"], tmp_path):
        wait_until(mark.exists, "the agents did not start")
    with brought_agents([], tmp_path):
        pass


def test_a_command_that_ends_says_how(tmp_path, wait_until):
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    with brought_agents(command, tmp_path) as how_it_ended:
        wait_until(how_it_ended, "it did not end")
    words = f"{sys.executable}, which starts the others, ended with exit code 3"
    assert how_it_ended() == words


def test_a_command_that_does_not_leave_is_ended(tmp_path, wait_until, monkeypatch):
    monkeypatch.setattr(bring, "_LEAVE_S", 0.1)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + AGENTS
    command = [sys.executable, "-c", deaf, str(tmp_path / "mark"), "60"]
    with brought_agents(command, tmp_path) as how_it_ended:
        wait_until((tmp_path / "mark").exists, "the agents did not start")
    assert how_it_ended().endswith("exit code -9")


def test_a_leader_whose_agents_cannot_come_says_so_at_once(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    hall = Hall(
        run=None,
        place=MeetingPlace(tmp_path),
        store=None,
        preflight=Anything(),
        address="127.0.0.1",
        agents=command,
    )
    team = Team(scale=Scale(2, 2), wait_s=60.0)
    leader = Leader(hall, team, Resume(str(tmp_path)))
    with (
        pytest.raises(EnvironmentUnsuitableError, match=r"1 of at least 2 machines .* exit code 3"),
        leader.receiving(),
    ):
        leader.start(None, Control())


def test_a_command_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(EnvironmentUnsuitableError, match="no-such-srun could not be started"),
        brought_agents(["no-such-srun"], tmp_path),
    ):
        pytest.fail("it went on")


class Anything:
    """What a leader asks of a run and of machines, where the answer does not matter."""

    def lead(self):
        pass

    def facts(self):
        return {}


def test_a_leader_leaves_no_port_behind(tmp_path):
    place = MeetingPlace(tmp_path)
    hall = Hall(run=None, place=place, store=None, preflight=Anything(), address="127.0.0.1")
    with Leader(hall, Team(scale=Scale(2, 2)), Resume(str(tmp_path))).receiving():
        where = place.find()
        socket.create_connection((where.address, where.port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((where.address, where.port))
