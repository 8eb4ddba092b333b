"""Who may ask: on this machine whoever runs a program, over a network whoever shows the token.

Pages of a browser are let in by neither way: what comes from one says so in its headers.
"""

import hmac
import ipaddress
import os
import stat
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError, ParameterParsingError, read_failure
from imageloom.events import EventSink, Notice
from imageloom.server.access import Refusal, bearer_of, is_from_elsewhere
from imageloom.server.site import NetworkPlace, Site

TOKEN_VARIABLE: Final = "IMAGELOOM_SERVE_TOKEN"
OPEN: Final = ("/v2/health/live", "/v2/health/ready")
"""What an orchestrator asks without a token; the answer is yes or no."""

_LEAST_CHARS: Final = 16
_MOST_BYTES: Final = 4096
_NO_TOKEN: Final = Refusal(
    401, "no-token", "The token is missing or wrong.", "Send it as 'Authorization: Bearer TOKEN'."
)
_WRONG_HOST: Final = Refusal(
    403,
    "wrong-host",
    "The request was sent to a name that is not this server's.",
    "Use the address that 'imageloom serve' printed; to be reached under others it needs a token.",
)
_WRONG_ORIGIN: Final = Refusal(
    403,
    "wrong-origin",
    "A page in a browser asked for this.",
    "Ask from a program; a page asks its own server, which asks this one.",
)


@dataclass(frozen=True)
class ServingDoor:
    """Who may ask.

    Attributes:
        token: What each request must show; empty where only this machine can ask.
        site: The names under which this machine asks.
    """

    token: str
    site: Site

    @classmethod
    def of(cls, place: NetworkPlace, token: str) -> "ServingDoor":
        """Return the door of a server that listens at a place.

        Raises:
            EnvironmentUnsuitableError: A network reaches it, and there is no token.
        """
        if not token and not is_loopback(place.host):
            raise EnvironmentUnsuitableError(
                f"A network reaches {place.host}, and there is no token: anybody could ask.",
                hint="Name a file that holds one with --token-file, or set "
                f"{TOKEN_VARIABLE}. To make one: openssl rand -hex 32",
                reason="no-token",
            )
        own = Site.of_this_machine(place.port)
        return cls(token, Site(tuple(dict.fromkeys((*own.origins, place.origin)))))

    def refusal(
        self, path: str, headers: Mapping[str, str], hosts: Sequence[str]
    ) -> Refusal | None:
        """Return why a request is not answered, or None.

        Args:
            path: What it asks for.
            headers: With names in lower case.
            hosts: All ``Host`` headers.
        """
        if "origin" in headers or is_from_elsewhere(headers):
            return _WRONG_ORIGIN
        if not self.token:
            return None if self.site.is_host(hosts) else _WRONG_HOST
        is_right = hmac.compare_digest(bearer_of(headers).encode(), self.token.encode())
        return None if path in OPEN or is_right else _NO_TOKEN


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may be anybody's
        return False


def read_token(
    file: Path | None, environment: MutableMapping[str, str], on_event: EventSink
) -> str:
    """Return the token; empty where there is none. It is taken out of the environment.

    Args:
        file: That holds it, alone; None for none.
        environment: Of this process.
        on_event: Told that others may read the file.

    Raises:
        EnvironmentUnsuitableError: The file cannot be read.
        ParameterParsingError: It is too short to be a secret, or no text.
    """
    token = environment.pop(TOKEN_VARIABLE, "").strip()
    where = TOKEN_VARIABLE
    if file is not None:
        token, where = _content_of(file, on_event), str(file)
        if not token:
            raise _weak(where, token)
    if token and (len(token) < _LEAST_CHARS or not token.isascii() or not token.isprintable()):
        raise _weak(where, token)
    return token


def _content_of(file: Path, on_event: EventSink) -> str:
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read(_MOST_BYTES)
    except OSError as problem:
        raise read_failure(file, problem, EnvironmentUnsuitableError) from problem
    if stat.S_ISREG(mode) and mode & 0o077:
        on_event(Notice("warning", f"Others on this machine may read {file}: chmod 600 {file}"))
    return content.decode("ascii", "replace").strip()


def _weak(where: str, token: str) -> ParameterParsingError:
    return ParameterParsingError(
        f"The token in {where} has {len(token)} characters, or some that are no plain text; it "
        f"needs at least {_LEAST_CHARS}.",
        hint="To make one: openssl rand -hex 32",
        reason="weak-token",
    )
