"""Pictures that are made to harm cost their own request and nothing else (S16, S17, A38, A43)."""

import contextlib
import io
import json
import os
import signal
import socket
import struct
import zlib

import pytest
from PIL import Image

from imageloom.serving.params import ServeParams
from imageloom.serving.serve import ServingSetup

from .conftest import ANYWHERE, running
from .second_client import ask, infer

pytestmark = pytest.mark.slow


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def bomb(width, height):
    """Return a PNG of one bit per pixel, all zeros: a few kilobytes that want gigabytes."""
    rows = zlib.compress(b"\0" * ((width // 8 + 1) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def text_bomb():
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 200_000_000, 9))
    return file.getvalue()[:33] + text + file.getvalue()[33:]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bomb(12_000, 12_000), "has more pixels than the limit of 50,000,000"),
        (bomb(2**31 - 8, 8), "picture"),
        (text_bomb(), "picture"),
        (b"\xff", "picture"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "GIF"),
        (b"<html>404</html>", "picture"),
    ],
    ids=["pixels", "width", "text", "one byte", "gif", "html"],
)
def test_a_hostile_picture_is_refused_and_the_next_is_answered(server, content, says):
    status, _, answer = ask(f"{server.address}predict", content)
    assert (status, says in json.loads(answer)["error"]) == (422, True), answer
    assert infer(server.address, "flowers", server.files[:1]).shape == (1, 3)


def test_a_decoder_that_is_killed_costs_no_answer(server):
    before = infer(server.address, "flowers", server.files[:1])
    (process,) = server.ready.answering.preparer.pool.running
    os.kill(process.pid, signal.SIGKILL)
    assert (infer(server.address, "flowers", server.files[:1]) == before).all()


def test_a_body_above_the_limit_is_refused_with_both_numbers(server):
    status, _, answer = ask(f"{server.address}predict", b"x" * (2 * 1024**2 + 1))
    assert status == 413
    assert "2,097,153 bytes or more, but at most 2,097,152" in json.loads(answer)["error"]


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(server):
    blocks = iter([b"x" * 1024**2] * 3)
    request_status, _, answer = ask(f"{server.address}predict", blocks, Transfer_Encoding="chunked")
    assert request_status == 413, answer


def test_nothing_is_inside_afterwards(server):
    room = server.ready.answering.room
    assert (room.pictures, room.bytes) == (0, 0)


def test_s16_connections_that_say_nothing_keep_nobody_waiting(server):
    host, _, port = server.address.removeprefix("http://").rstrip("/").rpartition(":")
    with contextlib.ExitStack() as stack:
        for number in range(200):
            silent = stack.enter_context(socket.create_connection((host, int(port))))
            silent.sendall(b"POST /predict HTTP/1.1\r\nHost: "[: number % 30])
        assert infer(server.address, "flowers", server.files[:1]).shape == (1, 3)


def test_a_body_that_stops_coming_gives_its_room_back(model, pictures):
    params = ServeParams(device="cpu", decoders=1, timeout_s=0.5)
    with running(ServingSetup(model, ANYWHERE, params=params), pictures) as server:
        host, _, port = server.address.removeprefix("http://").rstrip("/").rpartition(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                f"POST /predict HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()
                + b"Content-Length: 9\r\n\r\nabc"
            )
            assert slow.recv(65536).startswith(b"HTTP/1.1 408")
        room = server.ready.answering.room
        assert (room.pictures, room.bytes) == (0, 0)
