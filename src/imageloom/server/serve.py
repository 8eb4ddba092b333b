"""The server process: one port of this machine's own, until somebody stops it."""

import contextlib
import dataclasses
import errno
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import uvicorn

from imageloom.app import Engine
from imageloom.data.previews.client import PictureHelper
from imageloom.errors import EnvironmentUnsuitableError
from imageloom.events import CancelToken
from imageloom.scoring.model_process.client import ModelHelper
from imageloom.server.access import Access, Gate, PeopleAccess, read_or_make_token
from imageloom.server.app import create_app
from imageloom.server.connections import bound_socket, guarded_config
from imageloom.server.people.register import People
from imageloom.server.people.roles import Role
from imageloom.server.roots import Roots
from imageloom.server.site import NetworkPlace, Site
from imageloom.server.studio import Studio
from imageloom.server.topics import Topics
from imageloom.system.machine import login_name

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8460
_TRIED_PORTS: Final = 20
_MOST_CONNECTIONS: Final = 2_000  # each page keeps one open for what happens
_POLL_S: Final = 0.1


@dataclass(frozen=True)
class Listening:
    """A studio that is about to answer.

    Attributes:
        server: Answers once it runs.
        listener: Where it listens already, so that the first request waits instead of failing.
        address: Of the page.
        token: Signs a browser in; empty where people have passwords.
        topics: What pages follow; they are let go when it ends.
    """

    server: uvicorn.Server
    listener: socket.socket
    address: str
    token: str
    topics: Topics

    def link_to(self, path: str = "") -> str:
        """Return what to open in a browser: a view of the page, with the token."""
        return f"{self.address}{path}" + (f"?token={self.token}" if self.token else "")

    def run(self, cancel: CancelToken) -> None:
        """Answer until somebody asks to stop."""
        # In a thread of its own, where it leaves the signals of this process alone.
        thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)
        thread.start()
        while thread.is_alive() and not cancel.is_set:
            thread.join(_POLL_S)
        self.topics.close()
        self.server.should_exit = True
        thread.join()


def listen(
    engine: Engine, *, base: Path, roots: Sequence[Path] = (), port: int | None = None
) -> Listening:
    """Take a port of this machine's own, and make the studio that answers there to its owner.

    Args:
        engine: Runs pipelines.
        base: Absolute folder that relative paths in parameters start from.
        roots: Folders to show besides ``base``, the person's home, the workspace and downloads.
        port: Where to listen; by default the first free one from ``DEFAULT_PORT`` on.

    Raises:
        EnvironmentUnsuitableError: The port, or every one that was tried, is taken.
        FailedToWriteOutputsError: The token cannot be kept.
    """
    home = engine.settings.home / "studio"
    listener = _listener(HOST, port)
    number = listener.getsockname()[1]
    access = Access(read_or_make_token(home / "token"), number)
    # Pictures from addresses lie among what Imageloom keeps for itself.
    own = (engine.workspace.root, engine.settings.downloads)
    shown = Roots.of((base, Path.home(), *own, *roots))
    studio = _studio(engine, base, shown, readable=shown)
    return _listening(studio, access, listener, f"http://{HOST}:{number}/")


def listen_to_people(
    engine: Engine,
    place: NetworkPlace,
    *,
    base: Path,
    roots: Sequence[Path] = (),
    origins: Sequence[str] = (),
) -> Listening:
    """Take a port of a network, and make the studio that answers there to who signs in.

    Args:
        engine: Runs pipelines.
        place: Where to listen.
        base: Absolute folder that relative paths in parameters start from.
        roots: The folders to show, and no others.
        origins: The addresses under which people reach it; by default where it listens.

    Raises:
        EnvironmentUnsuitableError: Nobody could administrate it, or the port is taken.
        ParameterParsingError: An address is none, or there must be one.
    """
    people = People.of(engine.workspace)
    if not any(user.role is Role.ADMIN for user in people.users.all().values()):
        raise EnvironmentUnsuitableError(
            "Nobody could sign in as an admin: a studio that listens on a network needs users.",
            hint="Add yourself with 'imageloom users add NAME --role admin'.",
            reason="no-admin",
        )
    Site.of(origins)  # refused before a port is taken, as is what follows
    if not origins:
        place.require_one_address()
    listener = _listener(place.host, place.port)
    place = NetworkPlace(place.host, listener.getsockname()[1])
    site = Site.of(origins or (place.origin,))
    shown = Roots.of(tuple(roots))
    readable = Roots.of((*roots, engine.workspace.root))
    studio = dataclasses.replace(_studio(engine, base, shown, readable=readable), people=people)
    door = PeopleAccess(people, site, place.port)
    return _listening(studio, door, listener, f"{site.origins[0]}/")


def _studio(engine: Engine, base: Path, shown: Roots, *, readable: Roots) -> Studio:
    """Return a studio that shows some folders, and whose pictures may lie in others too."""
    settings = engine.settings
    home, roots = settings.home / "studio", readable.paths
    return Studio(
        engine=engine,
        roots=shown,
        user=login_name(),
        base=base,
        pictures=PictureHelper(home, roots=roots, looks=settings.picture_looks),
        models=ModelHelper(home, features=settings.features, roots=roots),
    )


def _listening(studio: Studio, door: Gate, listener: socket.socket, address: str) -> Listening:
    app = create_app(studio, door)
    config = guarded_config(app, timeout_graceful_shutdown=2, limit_concurrency=_MOST_CONNECTIONS)
    token = door.token if isinstance(door, Access) else ""
    return Listening(uvicorn.Server(config), listener, address, token, app.state.topics)


def _listener(host: str, port: int | None) -> socket.socket:
    tried = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + _TRIED_PORTS)
    problem: OSError | None = None
    for number in tried:
        try:
            return bound_socket(host, number, backlog=128)
        except OSError as why:
            problem = why
    raise _port_taken(host, port, problem)


def _port_taken(host: str, port: int | None, problem: OSError | None) -> EnvironmentUnsuitableError:
    """Return the error for a port that cannot be used, with who has it and one that is free."""
    where = f"Port {port}" if port is not None else f"Each port from {DEFAULT_PORT} on"
    reason = (problem.strerror if problem is not None else None) or "taken"
    other = "another port with --port"
    if port is not None and problem is not None and problem.errno == errno.EADDRINUSE:
        reason += _who_has(port)
        free = _next_free(host, port)
        other = other if free is None else f"port {free}, which is free: --port {free}"
    return EnvironmentUnsuitableError(
        f"{where} cannot be used: {reason}.",
        hint=f"Does another studio run? Use its page, or choose {other}.",
        reason="port-taken",
    )


def _next_free(host: str, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port + 1, min(port + 1 + _TRIED_PORTS, 65_536)):
        with socket.socket(family) as tried, contextlib.suppress(OSError):
            tried.bind((host, number))
            return number
    return None


def _who_has(port: int) -> str:
    """Return which process listens on a port, as far as the system tells us."""
    with contextlib.suppress(psutil.Error, OSError):
        for one in psutil.net_connections("tcp"):
            is_there = getattr(one.laddr, "port", None) == port
            if is_there and one.status == psutil.CONN_LISTEN and one.pid:
                return f", by process {one.pid} ({psutil.Process(one.pid).name()})"
    return ""
