"""The studio asks nobody for anything that a user names: an address is no place (S14)."""

import ast
import socket
from pathlib import Path

import pytest

import imageloom
from imageloom.app import Engine

PACKAGE = Path(imageloom.__file__).parent
CLIENTS = {
    "aiohttp",
    "ftplib",
    "httpx",
    "requests",
    "smtplib",
    "telnetlib",
    "urllib3",
    "websockets",
}
ADDRESSES = [
    "http://{0}/x.zip", "https://{0}/", "//{0}/x", "ftp://{0}/x", "file://{0}/x", "{0}",
    "http://[::1]:{1}/", "http://2130706433:{1}/", "http://0177.0.0.1:{1}/", "http://0x7f.1:{1}/",
    "http://localhost:{1}/", "http://169.254.169.254/latest/meta-data/", "gopher://{0}/_GET",
]  # fmt: skip


@pytest.fixture
def elsewhere():
    """Something that would notice to be asked."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        yield listener


@pytest.mark.processes
def test_an_address_in_the_place_of_a_folder_is_never_asked(page, elsewhere, monkeypatch):
    monkeypatch.setattr(Engine, "start", lambda _self, _run: None)
    port = elsewhere.getsockname()[1]
    for form in ADDRESSES:
        text = form.format(f"127.0.0.1:{port}", port)
        for address in ("/api/places", "/api/places/description"):
            assert page.get(address, params={"path": text}).status_code in (404, 422)
        node = {"id": "a", "component": "dataset", "params": {"path": text}}
        pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
        for address in ("/api/check", "/api/runs"):
            assert page.post(address, json={"pipeline": pipeline}).status_code < 500
        page.get("/", params={"next": text, "token": text})
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_the_server_has_nothing_that_fetches():
    for file in (PACKAGE / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names += [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
            for name in names:
                assert name.partition(".")[0] not in CLIENTS, (file, name)
                assert name not in ("urllib.request", "http.client"), (file, name)
