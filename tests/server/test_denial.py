"""Requests that would use the studio up: odd bodies, many ranges, slow headers (S16, J21)."""

import asyncio
import contextlib
import gzip
import http.client
import json
import re
import socket
import threading

import pytest
import uvicorn
from starlette.exceptions import HTTPException

from imageloom.server.app import create_app
from imageloom.server.bodies import MOST_BYTES, bounded
from imageloom.server.connections import TimedConnection

from .conftest import PORT, all_operations
from .made_run import made_run

DEADLINE_S = 30
MANY = 200
BODIES = {
    "100,000 arrays in one another": b"[" * 100_000,
    "100,000 closed arrays in one another": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects in one another": b'{"pipeline":' * 100_000 + b"1" + b"}" * 100_000,
    "as deep as Python reads": b'{"pipeline":' * 900 + b"1" + b"}" * 900,
    "a number of 100,000 digits": b'{"pipeline": ' + b"9" * 100_000 + b"}",
    "a number of 4,000 digits": b'{"pipeline": {"version": ' + b"9" * 4_000 + b"}}",
    "an exponent": b'{"pipeline": {"a": 1e999999999}}',
    "not a number": b'{"pipeline": NaN}',
    "no text": b"\xff\xfe\x00{",
    "another text": '{"pipeline": {}}'.encode("utf-16"),
    "half a surrogate pair": b'{"pipeline": {"name": "\\ud800"}, "name": "\\udfff"}',
    "a NUL": b'{"pipeline": {"name": "\\u0000"}, "name": "\\u0000", "password": "\\u0000"}',
    "nothing": b"",
    "a value alone": b"7",
    "a list": b"[]",
    "a prototype": b'{"__proto__": {"a": 1}, "constructor": {"prototype": {}}}',
    "10,000 keys": b"{" + b",".join(b'"%d":1' % one for one in range(10_000)) + b"}",
    "one key 10,000 times": b"{" + b",".join([b'"pipeline":{}'] * 10_000) + b"}",
    "100,000 nodes": b'{"pipeline": {"nodes": [' + b",".join([b"{}"] * 100_000) + b"]}}",
}


@pytest.fixture
def changes(page, studio):
    """Every (method, address) that takes a body as JSON, each on things that are there."""
    run = made_run(studio)
    known = {"run_id": run.id, "node": "a", "name": "x"}
    return [
        (method, re.sub(r"{(\w+)}", lambda found: known.get(found[1], "1"), path))
        for method, path, _ in all_operations(page.app)
        if method not in ("GET", "HEAD", "DELETE") and not path.endswith(("/resume", "/cancel"))
    ]


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_no_body_is_an_error_of_the_server(page, changes, body):
    assert len(changes) > 15
    for method, address in changes:
        answer = page.request(method, address, content=body)
        assert answer.status_code < 500, (method, address, answer.text[:500])
        assert len(answer.content) < 100_000, (method, address)


def test_a_body_over_the_bound_is_refused_whatever_its_header_says(page):
    some, total = b" " * 1024**2, MOST_BYTES // 1024**2 + 1

    def pieces():
        for _ in range(total):
            yield some

    for content in (some * total, pieces()):
        answer = page.post("/api/pipelines", content=content)
        assert answer.status_code == 413
        assert f"{MOST_BYTES:,} bytes" in answer.json()["error"]["message"]


def test_a_body_that_says_it_is_packed_is_not_unpacked(page, seed):
    packed = gzip.compress(json.dumps({"pipeline": seed}).encode())
    for kind in ("gzip", "deflate", "br", "gzip, gzip"):
        answer = page.post("/api/pipelines", content=packed, headers={"content-encoding": kind})
        assert answer.status_code in (400, 422)
    assert page.get("/api/pipelines").json() == []


def test_a_form_of_10_000_fields_is_refused_by_its_type(page):
    fields = "&".join(f"a{one}=1" for one in range(10_000))
    field = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n1\r\n'
    parts = "".join(field.format(one) for one in range(10_000)) + "--x--\r\n"
    large = field.format("a").replace("1\r\n", "1" * 10**7)  # a field without the name of a file
    for kind, content in (
        ("application/x-www-form-urlencoded", fields),
        ("multipart/form-data; boundary=x", parts),
        ("multipart/form-data; boundary=x", large),
    ):
        answer = page.post("/api/pipelines", content=content, headers={"content-type": kind})
        assert answer.status_code == 415


RANGES = {
    "10,000 of one byte": "bytes=" + ",".join(["0-0"] * 10_000),
    "10,000 apart": "bytes=" + ",".join(f"{4 * one}-{4 * one}" for one in range(10_000)),
    "10,000 in one another": "bytes=" + ",".join(f"{one}-" for one in range(10_000)),
    "100 of all": "bytes=" + ",".join(["0-"] * 100),
    "100 apart": "bytes=" + ",".join(f"{4 * one}-{4 * one}" for one in range(100)),
    "backwards": "bytes=9-1",
    "a huge number": f"bytes=0-{'9' * 5_000}",
    "no number": "bytes=a-b",
    "another unit": "rows=0-1",
    "nothing": "bytes=",
}


@pytest.fixture
def file(page, studio):
    """The address of a file of half a megabyte, and the file."""
    run = made_run(studio)
    run.report.write_bytes(bytes(range(256)) * 2_000)
    return f"/api/runs/{run.id}/report", run.report


@pytest.mark.parametrize("ranges", RANGES.values(), ids=list(RANGES))
def test_many_ranges_of_a_file_are_never_more_than_the_file(page, file, ranges):
    address, report = file
    answer = page.get(address, headers={"range": ranges})
    assert answer.status_code in (200, 206, 400, 416)
    assert len(answer.content) <= report.stat().st_size + 100 * 250


def test_a_range_is_that_part_of_the_file(page, file):
    address, report = file
    answer = page.get(address, headers={"range": "bytes=1000-1999"})
    assert (answer.status_code, answer.content) == (206, report.read_bytes()[1000:2000])


@contextlib.contextmanager
def serving(app, connection):
    """Serve an app on a port of this machine, and yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(MANY)
        config = uvicorn.Config(
            app, http=connection, lifespan="off", log_level="critical", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def status_of(address, access):
    """Ask on a connection that stays open, and return it with the status of the answer."""
    connection = http.client.HTTPConnection(*address, timeout=DEADLINE_S)
    headers = {"Host": f"127.0.0.1:{PORT}", "Authorization": f"Bearer {access.token}"}
    connection.request("GET", "/api/session", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return connection, answer.status


def test_who_sends_heads_slowly_keeps_nobody_waiting(studio, access):
    with (
        serving(create_app(studio, access), TimedConnection) as address,
        contextlib.ExitStack() as opened,
    ):
        for _ in range(MANY):
            slow = opened.enter_context(socket.create_connection(address, timeout=DEADLINE_S))
            slow.sendall(b"GET /api/session HTTP/1.1\r\nHost: 127")
        connection, status = status_of(address, access)
        assert status == 200
        connection.close()


class Hasty(TimedConnection):
    head_timeout_s = 0.1


def test_a_head_that_does_not_arrive_costs_its_connection(studio, access):
    with serving(create_app(studio, access), Hasty) as address:
        for begin in (b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "):
            with socket.create_connection(address, timeout=DEADLINE_S) as slow:
                slow.sendall(begin)
                assert slow.recv(1024) == b"", "the server closed it"


def test_a_second_head_must_arrive_in_time_too(studio, access):
    with serving(create_app(studio, access), Hasty) as address:
        connection, status = status_of(address, access)
        assert status == 200
        connection.sock.sendall(b"GET ")
        assert connection.sock.recv(1024) == b""
        connection.close()


def test_a_slow_answer_is_no_slow_head(access):
    """The time counts until a head is there, and not while its answer is made."""
    answered = threading.Event()

    async def app(_scope, receive, send):
        await receive()
        await asyncio.to_thread(answered.wait, DEADLINE_S)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serving(app, Hasty) as address:
        for _ in range(3):  # heads that are given up meanwhile show that the time is over
            with socket.create_connection(address, timeout=DEADLINE_S) as waiting:
                waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                with socket.create_connection(address, timeout=DEADLINE_S) as slow:
                    assert slow.recv(1024) == b""
                answered.set()
                assert waiting.recv(1024).startswith(b"HTTP/1.1 200")
                answered.clear()


def test_a_head_without_an_end_is_refused(studio, access):
    with (
        serving(create_app(studio, access), TimedConnection) as address,
        socket.create_connection(address, timeout=DEADLINE_S) as asked,
    ):
        asked.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 100_000)
        assert asked.recv(1024).startswith(b"HTTP/1.1 400")


def test_a_body_that_does_not_arrive_is_given_up():
    async def received():
        scope = {"type": "http", "headers": [(b"content-length", b"10")]}
        pieces = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive():
            return pieces.pop() if pieces else await asyncio.Event().wait()

        body = bounded(scope, receive, is_stranger=False, whole_after_s=0.01)
        assert (await body())["body"] == b"{"
        await body()

    with pytest.raises(HTTPException, match=r"within 0\.01 s") as given_up:
        asyncio.run(received())
    assert given_up.value.status_code == 408


def test_a_client_that_stays_after_its_request_is_not_given_up():
    async def received():
        scope = {"type": "http", "headers": []}
        stays = asyncio.Event()

        async def receive():
            if not stays.is_set():
                stays.set()
                return {"type": "http.request", "body": b"", "more_body": False}
            await asyncio.sleep(0.02)  # longer than a request may take
            return {"type": "http.disconnect"}

        body = bounded(scope, receive, is_stranger=False, whole_after_s=0.01)
        await body()
        return await body()

    assert asyncio.run(received()) == {"type": "http.disconnect"}
