"""Messages between machines: who may speak, and what becomes of a connection that breaks."""

import contextlib
import hashlib
import hmac
import json
import socket
import struct
import threading
import time

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.launch.cluster import connection
from imageloom.launch.cluster.connection import Connection, LostError, connect, listen

TOKEN = "6f1c0a4be2d7439c8d5e01f7a2b36c94"


@pytest.fixture
def pair():
    """Return a function that connects two sockets and calls one function on each, side by side."""
    opened = []

    def join(first, second):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
        opened.extend((client, server))
        answers = [None, None]

        def body(place, function, stream):
            try:
                answers[place] = function(stream)
            except LostError as problem:
                answers[place] = problem

        threads = [
            threading.Thread(target=body, args=one)
            for one in ((0, first, server), (1, second, client))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return answers

    yield join
    for stream in opened:
        stream.close()


def server(stream, token=TOKEN):
    return Connection(stream, token, is_server=True)


def client(stream, token=TOKEN):
    return Connection(stream, token, is_server=False)


def frame(body):
    return struct.pack("!I", len(body)) + body


def read_frame(stream):
    (length,) = struct.unpack("!I", stream.recv(4, socket.MSG_WAITALL))
    return stream.recv(length, socket.MSG_WAITALL)


def greet_as_client(stream):
    """Do by the book what a client does; return the key."""
    theirs = json.loads(read_frame(stream))["nonce"]
    stream.sendall(frame(json.dumps({"nonce": "0123"}).encode()))
    secret = hashlib.sha256(TOKEN.encode()).digest()
    key = hmac.new(secret, f"{theirs} 0123".encode(), "sha256").digest()
    stream.sendall(frame(hmac.new(key, b"I am from the client", "sha256").digest()))
    read_frame(stream)
    return key


def signed(key, number, body):
    salt = b"from the client" + number.to_bytes(8, "big")
    return hmac.new(key, salt + body, "sha256").digest() + body


def test_both_sides_hear_each_other_in_order(pair):
    one, other = pair(server, client)
    for number in range(3):
        one.send("count", number=number)
    other.send("answer", words=["a", {"b": None}])
    heard = [other.receive(10) for _ in range(3)]
    assert [message["number"] for message in heard] == [0, 1, 2]
    assert one.receive(10) == {"kind": "answer", "words": ["a", {"b": None}]}
    assert (one.address, other.own_address) == ("127.0.0.1", "127.0.0.1")
    assert one.receive(0.01) is None
    one.close()
    with pytest.raises(LostError, match="closed the connection"):
        other.receive(10)
    with pytest.raises(LostError):  # and again for whoever asks again
        other.receive(10)
    other.close()


def test_who_has_another_token_is_turned_away(pair):
    for one in pair(server, lambda stream: client(stream, "another")):
        assert isinstance(one, LostError)
        assert "token" in str(one)


def test_who_sends_back_what_it_hears_is_turned_away(pair):
    def echo(stream):
        stream.sendall(frame(read_frame(stream)))

    one, _ = pair(server, echo)
    assert isinstance(one, LostError)


def by_the_book(stream):
    key = greet_as_client(stream)
    stream.sendall(frame(signed(key, 0, b'{"kind": "hello"}')))
    return key


def test_a_client_by_the_book_is_heard(pair):
    one, _ = pair(server, by_the_book)
    assert one.receive(10) == {"kind": "hello"}
    one.close()


@pytest.mark.parametrize(
    "forge",
    [
        lambda key, body: signed(key, 1, body.replace(b"stop", b"Stop"))[:-1] + b"!",
        lambda key, body: signed(key, 0, body),  # one that was heard before
        lambda key, body: signed(key, 2, body),  # one is missing
        lambda _key, body: body,
        lambda key, _body: signed(key, 1, b"[]"),
        lambda key, _body: signed(key, 1, b"\xff"),
    ],
    ids=["changed", "repeated", "left out", "unsigned", "no object", "no JSON"],
)
def test_a_message_that_is_not_whole_ends_the_connection(pair, forge):
    def by_the_book_and_then_not(stream):
        key = by_the_book(stream)
        stream.sendall(frame(forge(key, b'{"kind": "stop"}')))

    one, _ = pair(server, by_the_book_and_then_not)
    assert one.receive(10) == {"kind": "hello"}
    with pytest.raises(LostError, match=r"changed on the way|no message of ours"):
        one.receive(10)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        frame(b"x" * 9),
        b"\xff" * 8,
        frame(b"[" * 100_000),  # so deep that reading it would need more stack than there is
    ],
)
def test_who_speaks_something_else_is_turned_away(pair, said):
    def speak(stream):
        with contextlib.suppress(OSError):  # we may be turned away before we have said all
            stream.sendall(said)
            stream.shutdown(socket.SHUT_WR)

    one, _ = pair(server, speak)
    assert isinstance(one, LostError)


def test_a_side_that_says_nothing_is_given_up(pair, monkeypatch):
    monkeypatch.setattr(connection, "SILENCE_S", 0.2)
    one, _ = pair(server, lambda _: None)
    assert str(one) == "was silent for 0.2 s"


def test_a_greeting_that_comes_byte_by_byte_is_given_up(pair, monkeypatch):
    monkeypatch.setattr(connection, "SILENCE_S", 0.5)

    def drip(stream):
        with contextlib.suppress(OSError):
            for byte in frame(b"x" * 200):
                time.sleep(0.1)
                stream.sendall(bytes([byte]))

    one, _ = pair(server, drip)
    assert str(one) == "was silent for 0.5 s"


def test_who_is_gone_before_it_was_let_in_is_lost(pair):
    def reset(stream):
        # So that closing sends a reset instead of an end.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
        gone.set()

    def let_in(stream):
        gone.wait(10)
        return server(stream)

    gone = threading.Event()
    one, _ = pair(let_in, reset)
    assert isinstance(one, LostError)


def test_h09_where_nobody_listens_the_reason_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LostError, match="refused"):
        connect("127.0.0.1", port, TOKEN, timeout_s=0.1)


def test_h09_a_name_that_nobody_knows_is_said(monkeypatch):
    monkeypatch.setattr(connection.time, "sleep", lambda _: pytest.fail("it tried again"))
    with pytest.raises(LostError, match=r"not known|failure in name resolution"):
        connect("nowhere.invalid", 29400, TOKEN, timeout_s=60.0)


def test_why_there_is_no_connection_yet_is_told_once(monkeypatch):
    monkeypatch.setattr(connection, "SAY_S", 0.0)
    told = []
    with pytest.raises(LostError, match="connection refused"):
        connect("127.0.0.1", 1, TOKEN, timeout_s=0.5, on_trouble=told.append)
    assert told == ["connection refused"]


def test_h09_another_port_is_taken_when_the_one_wished_for_is_in_use():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listen("127.0.0.1", port) as second:
            assert second.getsockname()[1] != port


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(EnvironmentUnsuitableError, match=r"cannot listen at 192\.0\.2\.1") as error:
        listen("192.0.2.1", 0)
    assert "--interface" in error.value.hint
