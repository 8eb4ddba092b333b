"""The port of a studio (J08)."""

import os
import re
import socket

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.server.serve import DEFAULT_PORT, HOST, listen, listen_to_people
from imageloom.server.site import NetworkPlace


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_told_with_who_has_it_and_one_that_is_free(studio, taken):
    with pytest.raises(EnvironmentUnsuitableError, match=f"Port {taken} .* in use") as told:
        listen(studio.engine, base=studio.base, port=taken)
    assert f"by process {os.getpid()} (" in told.value.message
    free = int(re.search(r"--port ([0-9]+)", told.value.hint)[1])
    assert taken < free < 65_536
    listening = listen(studio.engine, base=studio.base, port=free)
    assert listening.address == f"http://{HOST}:{free}/"
    listening.listener.close()


def test_a_port_of_a_network_that_is_taken_is_told_too(studio, people, taken):
    with pytest.raises(EnvironmentUnsuitableError, match=f"Port {taken} cannot be used"):
        listen_to_people(studio.engine, NetworkPlace(HOST, taken), base=studio.base)


def test_without_a_wish_the_next_port_is_taken(studio):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, DEFAULT_PORT))
        except OSError:
            pass  # another studio of this machine has it, which is as well
        else:
            listener.listen()
        listening = listen(studio.engine, base=studio.base)
        assert listening.listener.getsockname()[1] > DEFAULT_PORT
        listening.listener.close()
