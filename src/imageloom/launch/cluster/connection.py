"""JSON messages between the machines of a run, from those who know the token to those who know it.

Both sides prove that they know the token (HMAC-SHA256 of two fresh random numbers), and each
message carries such a proof of its own, so nobody in between can change, repeat or leave out one.
They are not encrypted; no secret is in them.
"""

import contextlib
import hashlib
import hmac
import json
import math
import queue
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.events import CancelToken

BEAT_S: Final = 1.0
SILENCE_S: Final = 9.0  # a cut of 5 s passes; more is reported within 10 s
SAY_S: Final = 3.0  # a person is told by then why nothing happens
_MAX_BYTES: Final = 4 * 1024 * 1024
_MAX_GREETING_BYTES: Final = 256
_LEAST_S: Final = 0.001  # 0 would mean not to wait at all
_HEADER: Final = struct.Struct("!I")
_MAC_BYTES: Final = 32

Message = dict[str, object]


class LostError(Exception):
    """The other side is gone or silent; the message says which."""


class _HopelessError(LostError):
    """More tries would not help."""


class Connection:
    """A connection to another machine, which hears from us every second.

    Args:
        stream: Connected, and not used by anybody else.
        token: What both sides must know.
        is_server: Whether the other side connected to us.

    Attributes:
        address: Of the other side.
        own_address: Of ours, as the other side sees it.

    Raises:
        LostError: The other side does not know the token, or says nothing.
    """

    def __init__(self, stream: socket.socket, token: str, *, is_server: bool) -> None:
        self._stream = stream
        self._sending = threading.Lock()
        self._sent = self._received = 0
        self._heard: queue.SimpleQueue[Message | LostError] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._key = b""
        try:
            stream.settimeout(SILENCE_S)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.address: str = stream.getpeername()[0]
            self.own_address: str = stream.getsockname()[0]
            self._key, self._send_salt, self._receive_salt = self._greet(token, is_server=is_server)
            stream.settimeout(SILENCE_S)
        except OSError as problem:  # it is gone already
            stream.close()
            raise LostError(_reason(problem)) from problem
        except BaseException:
            stream.close()
            raise
        for work in (self._listen, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def send(self, kind: str, **content: object) -> None:
        """Send a message; one that cannot be sent shows in ``receive`` as the loss that it is."""
        with contextlib.suppress(LostError):
            self._send({"kind": kind, **content})

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """Return the next message, or None when none came in time.

        Raises:
            LostError: There will be no more.
        """
        try:
            heard = self._heard.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(heard, LostError):
            self._heard.put(heard)  # for whoever asks again
            raise heard
        return heard

    def close(self) -> None:
        """Say no more; the other side hears of it at once."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _greet(self, token: str, *, is_server: bool) -> tuple[bytes, bytes, bytes]:
        give_up = time.monotonic() + SILENCE_S  # for all of it, for it may be anybody
        own = secrets.token_hex(16)
        self._write(json.dumps({"nonce": own}).encode())
        other = str(_read_json(self._read_greeting(give_up)).get("nonce", ""))
        server, client = (own, other) if is_server else (other, own)
        if own == other or not other:
            raise LostError("the other side only repeats what it hears")
        secret = hashlib.sha256(token.encode()).digest()
        key = hmac.digest(secret, f"{server} {client}".encode(), "sha256")
        salts = (b"from the server", b"from the client")
        mine, theirs = salts if is_server else reversed(salts)
        self._write(hmac.digest(key, b"I am " + mine, "sha256"))
        proof = hmac.digest(key, b"I am " + theirs, "sha256")
        if not hmac.compare_digest(self._read_greeting(give_up), proof):
            raise _HopelessError("the other side has another token")
        return key, mine, theirs

    def _beat(self) -> None:
        while not self._closed.wait(BEAT_S):
            self.send("beat")

    def _listen(self) -> None:
        try:
            while True:
                message = self._receive()
                if message.get("kind") != "beat":
                    self._heard.put(message)
        except LostError as problem:
            self._heard.put(problem)
            self.close()

    def _send(self, message: Message) -> None:
        body = json.dumps(message, separators=(",", ":")).encode()
        with self._sending:
            self._write(self._mac(self._send_salt, self._sent, body) + body)
            self._sent += 1

    def _receive(self) -> Message:
        frame = self._read()
        mac, body = frame[:_MAC_BYTES], frame[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(self._receive_salt, self._received, body)):
            raise LostError("sent something that was changed on the way")
        self._received += 1
        return _read_json(body)

    def _mac(self, salt: bytes, number: int, body: bytes) -> bytes:
        return hmac.digest(self._key, salt + number.to_bytes(8, "big") + body, "sha256")

    def _write(self, frame: bytes) -> None:
        try:
            self._stream.sendall(_HEADER.pack(len(frame)) + frame)
        except OSError as problem:
            raise LostError(_reason(problem)) from problem

    def _read_greeting(self, give_up: float) -> bytes:
        return self._read(_MAX_GREETING_BYTES, give_up)

    def _read(self, most: int = _MAX_BYTES, give_up: float = math.inf) -> bytes:
        (length,) = _HEADER.unpack(self._read_exactly(_HEADER.size, give_up))
        if length > most:
            raise LostError("sent something that is no message of ours")
        return self._read_exactly(length, give_up)

    def _read_exactly(self, length: int, give_up: float) -> bytes:
        parts, missing = [], length
        while missing:
            try:
                left_s = min(SILENCE_S, give_up - time.monotonic())
                self._stream.settimeout(max(left_s, _LEAST_S))
                part = self._stream.recv(missing)
            except OSError as problem:
                raise LostError(_reason(problem)) from problem
            if not part:
                raise LostError("closed the connection")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def connect(
    address: str,
    port: int,
    token: str,
    *,
    timeout_s: float,
    cancel: CancelToken | None = None,
    on_trouble: Callable[[str], None] = lambda _why: None,
) -> Connection:
    """Connect to a leader, which may not have begun to listen yet.

    Args:
        address: Where it listens.
        port: The port there.
        token: What both sides must know.
        timeout_s: For how long to try.
        cancel: Ends the tries.
        on_trouble: Hears once, after some seconds, why there is no connection yet.

    Raises:
        RunInterruptedError: Somebody asked to stop.
        LostError: Nobody who knows the token answered in time; the message says how it failed last.
    """
    began, has_told = time.monotonic(), False
    give_up = began + timeout_s
    while True:
        try:
            left_s = max(1.0, give_up - time.monotonic())
            stream = _open(address, port, timeout_s=min(left_s, SILENCE_S))
            return Connection(stream, token, is_server=False)
        except _HopelessError:
            raise
        except LostError as problem:
            last = problem
        if time.monotonic() > give_up:
            raise last
        if cancel is not None:
            cancel.raise_if_set()
        if not has_told and time.monotonic() - began > SAY_S:
            has_told = True
            on_trouble(str(last))
        time.sleep(0.2)


def _open(address: str, port: int, *, timeout_s: float) -> socket.socket:
    try:
        return socket.create_connection((address, port), timeout=timeout_s)
    except socket.gaierror as problem:
        raise _HopelessError(f"{address} is not known ({_reason(problem)})") from problem
    except TimeoutError as problem:
        raise LostError(f"nothing answered in {timeout_s:.0f} s") from problem
    except OSError as problem:
        raise LostError(_reason(problem)) from problem


def listen(address: str, port: int) -> socket.socket:
    """Listen on one interface; on any free port when the one wished for is taken.

    Raises:
        EnvironmentUnsuitableError: This machine does not have the address.
    """
    try:
        return socket.create_server((address, port))
    except OSError:
        pass
    try:
        return socket.create_server((address, 0))
    except OSError as problem:
        raise EnvironmentUnsuitableError(
            f"This machine cannot listen at {address}: {problem.strerror or problem}.",
            hint="Name one of its own network interfaces with --interface.",
            reason="no-address",
        ) from problem


def _read_json(body: bytes) -> Message:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise LostError("sent something that is no message of ours") from problem
    if not isinstance(content, dict):
        raise LostError("sent something that is no message of ours")
    return content


def _reason(problem: OSError) -> str:
    if isinstance(problem, TimeoutError):
        return f"was silent for {SILENCE_S:g} s"
    if isinstance(problem, ConnectionResetError | BrokenPipeError):
        return "closed the connection"
    return (problem.strerror or str(problem)).lower()
