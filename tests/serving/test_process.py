"""The command itself: started, stopped, killed and started again."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.events import Control
from imageloom.server.connections import TimedConnection
from imageloom.serving.params import ServeParams
from imageloom.serving.serve import ServingSetup, serving

from .conftest import ANYWHERE, running
from .second_client import RefusedError, ask, infer

pytestmark = [pytest.mark.slow, pytest.mark.processes]
SCRIPT = Path(sys.executable).with_name("imageloom")
TOKEN = "0123456789abcdef0123456789abcdef"


@contextlib.contextmanager
def started(model, *words, **environment):
    process = subprocess.Popen(
        [SCRIPT, "serve", model, "--device", "cpu", "--decoders", "1", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        said = ""
        while "Stop" not in said:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said += line
        yield process, re.search(r"Serving +(\S+)", said)[1], said
    finally:
        process.kill()
        process.communicate()


def test_sigterm_answers_what_was_taken_and_refuses_what_comes(model, pictures):
    files = [one.read_bytes() for one in sorted(pictures.iterdir())]
    with started(model, "--listen", "127.0.0.1:0") as (process, address, said):
        assert "curl --data-binary @photo.jpg" in said
        assert "3 classes: red, green, blue" in said
        shapes, refused = [], []

        def client():
            try:
                shapes.append(infer(address, "flowers", files).shape)
            except (RefusedError, urllib.error.URLError) as refusal:
                refused.append(refusal)

        threads = [threading.Thread(target=client, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        while int(inside(address)) == 0 and not shapes:
            pass
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        assert process.wait(60) == 0
        assert shapes, "what was taken is answered"
        assert set(shapes) == {(19, 3)}, "and none is answered by half"
        assert len(shapes) + len(refused) == 4
        # What was not taken could not send its question, or was told so on its connection.
        for refusal in refused:
            if isinstance(refusal, RefusedError):
                assert (refusal.status, refusal.answer["reason"]) == (503, "stopping")
        assert "answering what was taken" in process.stderr.read()


def inside(address):
    text = ask(f"{address}metrics")[2].decode()
    return float(re.search(r"^imageloom_serve_inside_pictures (\S+)$", text, re.MULTILINE)[1])


def test_kill_9_leaves_no_process_and_the_same_place_can_be_taken_at_once(model, pictures):
    file = (pictures / "00.jpg").read_bytes()
    with started(model, "--listen", "127.0.0.1:0") as (process, address, _):
        before = infer(address, "flowers", [file])
        helpers = psutil.Process(process.pid).children(recursive=True)
        assert len(helpers) == 1
        process.kill()
        process.wait()
        assert psutil.wait_procs(helpers, timeout=10)[1] == []
        place = address.removeprefix("http://").rstrip("/")
        with started(model, "--listen", place) as (_, again, _):
            assert (infer(again, "flowers", [file]) == before).all()


def test_a_token_from_the_environment_guards_all_but_health_and_stands_in_no_list(model):
    with started(model, "--listen", "127.0.0.1:0", IMAGELOOM_SERVE_TOKEN=TOKEN) as one:
        process, address, said = one
        assert TOKEN not in said
        assert ask(f"{address}metrics")[0] == 401
        assert ask(f"{address}metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
        assert ask(f"{address}v2/health/ready")[0] == 200
        for child in psutil.Process(process.pid).children(recursive=True):
            assert TOKEN not in child.environ().values()


def test_a_network_without_a_token_is_refused_before_anything_is_loaded(model):
    done = subprocess.run(
        [SCRIPT, "serve", model, "--listen", "0.0.0.0:0", "--json"], capture_output=True, text=True
    )
    assert json.loads(done.stdout)["error"]["reason"] == "no-token"


def test_j08_a_place_that_is_taken_is_named(server, model):
    host, _, port = server.address.removeprefix("http://").rstrip("/").rpartition(":")
    place = type(ANYWHERE)(host, int(port))
    with (
        pytest.raises(EnvironmentUnsuitableError, match=f"{host}:{port} cannot be used"),
        serving(ServingSetup(model, place), Control.of(None, None)),
    ):
        pass


def test_a_server_that_is_full_says_503_and_when_to_come_again(model, pictures):
    from imageloom.serving.params import ServeParams

    params = ServeParams(device="cpu", decoders=1, most_pictures=4)
    files = [one.read_bytes() for one in sorted(pictures.iterdir())][:3]
    with running(ServingSetup(model, ANYWHERE, params=params), pictures) as full:
        with full.ready.answering.room.of_pictures(2):
            body = files[0]
            assert ask(f"{full.address}predict", body)[0] == 200
            with full.ready.answering.room.of_pictures(2):
                status, headers, answer = ask(f"{full.address}predict", body)
        assert (status, headers["Retry-After"]) == (503, "1")
        assert json.loads(answer)["reason"] == "queue-full"
        assert infer(full.address, "flowers", files).shape == (3, 3)


def test_a_head_that_does_not_arrive_costs_its_connection(model, monkeypatch):
    """S16, as the studio has it."""
    monkeypatch.setattr(TimedConnection, "head_timeout_s", 0.1)
    params = ServeParams(device="cpu", decoders=1)
    with running(ServingSetup(model, ANYWHERE, params=params)) as started:
        place = urlsplit(started.address)
        with socket.create_connection((place.hostname, place.port), timeout=30) as slow:
            slow.sendall(b"GET /v2 HTTP/1.1\r\nHost: 127")
            assert slow.recv(1024) == b"", "the server closed it"
