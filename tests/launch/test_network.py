import socket

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.launch import network
from imageloom.launch.network import addresses, interface_towards, own_address


def test_the_interface_towards_an_address_of_this_machine_is_its_own():
    for name, address in addresses().items():
        assert interface_towards(address) == name


def test_an_interface_is_named_or_follows_from_the_machines_name(monkeypatch):
    monkeypatch.setattr(network, "addresses", lambda: {"lo": "127.0.0.1", "eth0": "10.0.0.4"})
    monkeypatch.setattr(socket, "gethostbyname", lambda _name: "10.0.0.4")
    assert own_address("lo", by_name=True) == "127.0.0.1"
    assert own_address("", by_name=True) == "10.0.0.4"
    with pytest.raises(EnvironmentUnsuitableError, match="this one needs a network interface"):
        own_address("", by_name=False)


def test_a_name_that_leads_to_the_machine_itself_says_nothing_of_the_network(monkeypatch):
    monkeypatch.setattr(network, "addresses", lambda: {"lo": "127.0.0.1", "eth0": "10.0.0.4"})
    monkeypatch.setattr(socket, "gethostbyname", lambda _name: "127.0.1.1")
    assert own_address("", by_name=True) == "10.0.0.4"
