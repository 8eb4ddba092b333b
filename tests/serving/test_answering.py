"""A request in its time and the room that there is."""

import asyncio
import dataclasses
import threading

import pytest
import torch

from imageloom.errors import InvalidDatasetError, ServerBusyError, TimeoutOccuredError
from imageloom.serving.answering import Answering
from imageloom.serving.batching import Batcher
from imageloom.serving.preparing import PREPARING, SentFile
from imageloom.serving.room import Room
from imageloom.serving.serve import ServingSetup

from .conftest import ANYWHERE, running
from .second_client import ask


class Preparer:
    """Takes the first byte of a file as the picture's only value."""

    async def prepare(self, sent):
        if sent.content == b"bad":
            raise InvalidDatasetError("It is bad.", reason="unreadable")
        return torch.full((1, 1, 3), sent.content[0], dtype=torch.uint8)


class Network:
    def __init__(self):
        self.seen = []
        self.may_work = threading.Event()

    def __call__(self, images_BCHW):
        assert self.may_work.wait(30)
        self.seen += images_BCHW[:, 0, 0, 0].tolist()
        return images_BCHW[:, :2, 0, 0].float().numpy()


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def answering(network):
    batcher = Batcher(network, batch_size=1, on_batch=lambda _: None)
    yield Answering(None, Room(4, 100), Preparer(), batcher, timeout_s=30.0)
    network.may_work.set()
    batcher.close()


def files(*contents):
    return [SentFile(content, "a file") for content in contents]


def test_rows_come_in_the_order_of_the_pictures(answering, network):
    network.may_work.set()
    rows_NK = asyncio.run(answering.probabilities(files(b"\x03", b"\x01", b"\x02")))
    assert rows_NK.tolist() == [[3, 3], [1, 1], [2, 2]]
    assert answering.room.pictures == 0


def test_an_answer_that_is_late_gives_its_room_back_and_takes_no_more_turns(answering, network):
    late = dataclasses.replace(answering, timeout_s=0.2)
    with pytest.raises(
        TimeoutOccuredError, match=r"not ready within 0\.2 s; 3 pictures are inside"
    ):
        asyncio.run(late.probabilities(files(b"\x01", b"\x02", b"\x03")))
    assert answering.room.pictures == 0
    network.may_work.set()
    asyncio.run(answering.probabilities(files(b"\x09")))
    assert network.seen == [1, 9]  # the first was in the network already


def test_a_bad_picture_refuses_its_request_and_lets_the_others_go(answering, network):
    network.may_work.set()
    with pytest.raises(InvalidDatasetError, match="It is bad"):
        asyncio.run(answering.probabilities(files(b"\x01", b"bad")))
    assert answering.room.pictures == 0


def test_a_server_that_stops_takes_nothing_more(answering):
    answering.is_stopping = True
    assert not answering.is_ready
    with pytest.raises(ServerBusyError, match="about to stop"):
        asyncio.run(answering.probabilities(files(b"\x01")))


@pytest.mark.slow
def test_a43_a_file_of_which_decoders_die_is_refused_and_others_are_answered(model):
    kind = dataclasses.replace(PREPARING, module="stub_decoder")
    with running(ServingSetup(model, ANYWHERE, decoders=kind)) as server:
        status, _, answer = ask(f"{server.address}predict", b"crash")
        assert (status, b"decoder-lost" in answer) == (422, True), answer
        assert ask(f"{server.address}predict", b"any")[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["v2", "metrics", "nowhere", "predict", "v2/models/x", "v2/health/live"]
)
def test_s13_every_answer_tells_browsers_to_do_nothing_with_it(server, path):
    _, headers, _ = ask(f"{server.address}{path}")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers
