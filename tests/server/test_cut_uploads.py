"""Uploads over a real connection: cut, slow, and large beside the memory of the server."""

import contextlib
import http.client
import select
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from imageloom.pipeline.store.unfinished_uploads import begin_upload
from imageloom.pipeline.store.upload_limits import PART_BYTES
from imageloom.server.app import create_app
from imageloom.server.receiver import MOST_AT_ONCE, PartsReceiver

from .conftest import PORT
from .sent import digest

PART = b"0123456789abcdef" * (PART_BYTES // 16)
DEADLINE_S = 30
QUIET = {"log_level": "critical", "timeout_graceful_shutdown": 1}


@pytest.fixture
def served(studio, access):
    """Return the address of the studio, which answers in a thread."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(create_app(studio, access), lifespan="off", **QUIET)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


@pytest.fixture
def upload(studio):
    return begin_upload(studio.engine.workspace, "photos.zip", 2 * PART_BYTES)


def head(upload, access, length):
    """Return the beginning of a request that sends the first part."""
    return (
        f"PUT /api/uploads/{upload.id}/parts/0?sha256={digest(PART)} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{PORT}\r\nAuthorization: Bearer {access.token}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def put(address, upload, access, offset, content):
    """Send a part as a whole; return the status of the answer."""
    connection = http.client.HTTPConnection(*address, timeout=DEADLINE_S)
    headers = {
        "Host": f"127.0.0.1:{PORT}",
        "Authorization": f"Bearer {access.token}",
        "Content-Type": "application/octet-stream",
    }
    path = f"/api/uploads/{upload.id}/parts/{offset}?sha256={digest(content)}"
    connection.request("PUT", path, body=content, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_connections_that_were_cut_within_a_part_leave_nothing_and_hold_nothing(
    served, upload, access
):
    for _ in range(2 * MOST_AT_ONCE):
        with socket.create_connection(served) as cut:
            cut.sendall(head(upload, access, PART_BYTES) + PART[: PART_BYTES // 2])
    assert upload.digests() == ()
    deadline = time.monotonic() + DEADLINE_S
    while (status := put(served, upload, access, 0, PART)) == 503:  # until all cuts are noticed
        assert time.monotonic() < deadline
    assert status == 200
    assert upload.digests() == (digest(PART),)
    assert put(served, upload, access, PART_BYTES, PART) == 200
    assert Path(upload.finish().path).read_bytes() == PART + PART


def test_s16_too_much_is_refused_before_any_of_it_is_sent(served, upload, access):
    with socket.create_connection(served, timeout=DEADLINE_S) as asked:
        asked.sendall(head(upload, access, 20 * 1024**3))
        assert asked.recv(1024).startswith(b"HTTP/1.1 413")


def test_s16_those_who_send_slowly_are_few(served, upload, access):
    with contextlib.ExitStack() as opened:
        slow = [
            opened.enter_context(socket.create_connection(served, timeout=DEADLINE_S))
            for _ in range(MOST_AT_ONCE + 1)
        ]
        for one in slow:
            one.sendall(head(upload, access, PART_BYTES) + b"0")
        (refused,), _, _ = select.select(slow, [], [], DEADLINE_S)  # the one that was too much
        assert refused.recv(1024).startswith(b"HTTP/1.1 503")


@pytest.fixture
def hasty(studio):
    """The studio, which waits a tenth of a second for a part."""
    object.__setattr__(studio, "parts", PartsReceiver(timeout_s=0.1))
    return studio


def test_s16_a_part_that_takes_too_long_is_given_up(hasty, served, upload, access):
    with socket.create_connection(served, timeout=DEADLINE_S) as slow:
        slow.sendall(head(upload, access, PART_BYTES) + b"0")
        assert slow.recv(1024).startswith(b"HTTP/1.1 408")
    assert upload.digests() == ()
