"""A studio on a small workspace, asked without a network."""

import contextlib
import dataclasses
import json
import os
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx import Response

from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.pipeline.ownership import Ownership
from imageloom.scoring.model_process.client import ModelHelper
from imageloom.server.access import Access, PeopleAccess
from imageloom.server.app import create_app
from imageloom.server.people.register import People
from imageloom.server.roots import Roots
from imageloom.server.site import Site
from imageloom.server.studio import Studio
from imageloom.settings import read_settings

TOKEN = "0123456789abcdef0123456789abcdef0123456789a"
PORT = 8460
HOME = f"http://127.0.0.1:{PORT}"
PASSWORD = "correct horse battery"
ROLES = {"ada": "admin", "eve": "editor", "finn": "editor", "vic": "viewer"}


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path / "home"))
    base = tmp_path / "base"
    base.mkdir()
    roots = Roots.of((base, tmp_path / "workspace"))
    home = tmp_path / "home"
    with (
        contextlib.closing(
            PictureHelper(home / "studio", looks=home / "looks.sqlite", roots=roots.paths)
        ) as pictures,
        contextlib.closing(
            ModelHelper(home / "studio", features=home / "features", roots=roots.paths)
        ) as models,
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
    if headers.get("content-type") in ("image/jpeg", "image/png"):
        assert headers["cache-control"].startswith("private")  # a picture, which seldom changes
    elif "/api/" in str(answer.request.url):
        assert headers["cache-control"] == "no-store"
    if answer.status_code not in (204, 303):
        assert headers["content-type"]


@pytest.fixture
def seed():
    file = Path(__file__).parents[2] / "examples" / "seed.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def password_hash():
    """One cheap hash for all: its own settings stand in it."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


@pytest.fixture
def people(studio, password_hash):
    folder = studio.engine.workspace.people
    folder.mkdir(parents=True, mode=0o700)
    users = {
        name: {"role": role, "password": password_hash, "epoch": "1", "added": 1.0}
        for name, role in ROLES.items()
    }
    descriptor = os.open(folder / "users.json", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps({"format_version": 1, "users": users}))
    return People.of(studio.engine.workspace)


@pytest.fixture
def shared(studio, people):
    """The studio; it shows one folder, and nothing else of this machine."""
    return dataclasses.replace(studio, people=people, roots=Roots.of((studio.base,)))


@pytest.fixture
def door(people):
    return PeopleAccess(people, Site.of_this_machine(PORT), PORT)


@pytest.fixture
def app(shared, door):
    return create_app(shared, door)


@pytest.fixture
def asking(app, door, people):
    """Return what asks as the page of a user does; of nobody without a name."""
    with contextlib.ExitStack() as stack:

        def ask_as(name=""):
            client = TestClient(
                app, base_url=HOME, follow_redirects=False, raise_server_exceptions=False
            )
            stack.enter_context(client)
            client.event_hooks["response"].append(require_safe_headers)
            client.headers.update({"origin": HOME, "content-type": "application/json"})
            if name:
                client.cookies.set(door.cookie_name, session_of(people, name))
            return client

        yield ask_as


def session_of(people, name):
    """Sign a user in without their password, and return the secret."""
    return people.sessions.begin(name, people.users.find(name))


@pytest.fixture
def own():
    """Return whose a thing is that nobody else sees."""
    return lambda name: Ownership(owner=name, is_shared=False)


def all_operations(app):
    """Return every (method, path) of the API, as its router has them."""
    return sorted(
        (method, prefix + route.path_format, route)
        for prefix, route in _routes(app)
        for method in route.methods
        if (prefix + route.path_format).startswith("/api/")
    )


def _routes(app):
    for one in app.routes:
        router = getattr(one, "original_router", None)
        if router is not None:
            yield from ((one.include_context.prefix, route) for route in router.routes)
        elif hasattr(one, "path_format") and hasattr(one, "methods"):
            yield "", one
