"""A studio on a small workspace, asked without a network."""

import json
import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.scoring.model_process.client import ModelHelper
from imageloom.server.access import Access
from imageloom.server.app import create_app
from imageloom.server.roots import Roots
from imageloom.server.studio import Studio
from imageloom.settings import read_settings

TOKEN = "0123456789abcdef0123456789abcdef0123456789a"
PORT = 8460
HOME = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path / "home"))
    base = tmp_path / "base"
    base.mkdir()
    roots = Roots.of((base, tmp_path / "workspace"))
    home = tmp_path / "home"
    with (
        PictureHelper(home / "studio", roots=roots.paths) as pictures,
        ModelHelper(home / "studio", features=home / "features", roots=roots.paths) as models,
    ):
        yield Studio(
            engine=Engine(read_settings(os.environ)),
            roots=roots,
            user="ada",
            base=base,
            pictures=pictures,
            models=models,
        )


@pytest.fixture
def access():
    return Access(token=TOKEN, port=PORT)


@pytest.fixture
def stranger(studio, access):
    """Asks the studio without being signed in; every answer's headers are looked at."""
    with TestClient(
        create_app(studio, access),
        base_url=HOME,
        follow_redirects=False,
        raise_server_exceptions=False,
    ) as client:
        client.event_hooks["response"].append(require_safe_headers)
        yield client


@pytest.fixture
def page(stranger, access):
    """Asks as the page does: signed in, and from its own origin."""
    stranger.cookies.set(access.cookie_name, access.cookie)
    stranger.headers["origin"] = HOME
    stranger.headers["content-type"] = "application/json"
    return stranger


def require_safe_headers(answer: Response) -> None:
    """Refuse an answer that lets a browser do what it should not (S13)."""
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    if "sandbox" not in policy:
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    if headers.get("content-type") == "image/jpeg":
        assert headers["cache-control"].startswith("private")  # a picture, which seldom changes
    elif "/api/" in str(answer.request.url):
        assert headers["cache-control"] == "no-store"
    if answer.status_code not in (204, 303):
        assert headers["content-type"]


@pytest.fixture
def seed():
    file = Path(__file__).parents[2] / "examples" / "seed.json"
    return json.loads(file.read_text(encoding="utf-8"))
