"""The store in which ranks of one machine find each other."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from imageloom.distributed.store import hosted_store


def listening(port):
    """Return the addresses, in hexadecimal, at which a port is listened to."""
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]
    ]
    local = [fields[1].split(":") for fields in lines if fields[3] == "0A"]
    return [address for address, number in local if int(number, 16) == port]


def test_s30_only_this_machine_reaches_the_store_and_its_port_is_given_back():
    with hosted_store() as place:
        port = int(place["MASTER_PORT"])
        assert listening(port) == ["0100007F"]  # 127.0.0.1 as the kernel writes it
    assert listening(port) == []
    with pytest.raises(ConnectionRefusedError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_h09_no_run_can_have_the_port_of_another_one():
    with hosted_store() as one, hosted_store() as other:
        assert one["MASTER_PORT"] != other["MASTER_PORT"]
        with pytest.raises(OSError, match="Address already in use"):
            socket.create_server(("127.0.0.1", int(one["MASTER_PORT"])))


def test_a_rank_finds_the_store_by_the_environment_and_nothing_of_an_earlier_one(monkeypatch):
    from torch.distributed import rendezvous

    seen = []
    for number in range(2):
        with hosted_store() as place:
            for name, value in place.items():
                monkeypatch.setenv(name, value)
            ranks = rendezvous("env://", rank=0, world_size=1, timeout=timedelta(seconds=10))
            store, _, _ = next(ranks)
            seen.append(store.check(["name"]))
            store.set("name", str(number))
            assert store.get("name") == str(number).encode()
            del store, ranks
    assert seen == [False, False]
