"""Who may ask: a token, kept in a cookie after the first link, and only from our own page.

Every request is looked at before anything else is: a ``Host`` that is not ours means that a name
of somebody else was made to point here, an ``Origin`` that is not ours that another page asks.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final

from imageloom.errors import write_failure

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
SAFE_METHODS: Final = ("GET", "HEAD")
_TOKEN_BYTES: Final = 32
_SITES: Final = ("", "same-origin", "none")
_TYPES: Final = ("application/json",)
_TYPES_OF_PUT: Final = (*_TYPES, "application/octet-stream")  # a part of an upload


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered.

    Attributes:
        status: Of HTTP.
        reason: For programs.
        message: What was found.
        hint: What to do.
    """

    status: int
    reason: str
    message: str
    hint: str


_NO_SESSION: Final = Refusal(
    401,
    "no-session",
    "This page needs the link that 'imageloom studio' printed.",
    "Open that link once in this browser; it stays signed in. Programs send the token as "
    "'Authorization: Bearer TOKEN'.",
)
_WRONG_HOST: Final = Refusal(
    403,
    "wrong-host",
    "The request was sent to a name that is not this studio's.",
    "Use the address that 'imageloom studio' printed.",
)
_WRONG_ORIGIN: Final = Refusal(
    403, "wrong-origin", "Another page asked for this.", "Use the studio's own page."
)
_WRONG_TYPE: Final = Refusal(
    415,
    "wrong-type",
    "What changes something must be sent as application/json, a part of an upload as "
    "application/octet-stream.",
    "Set the header 'Content-Type: application/json'.",
)


@dataclass(frozen=True)
class Access:
    """Tells our own page from everybody else.

    Attributes:
        token: What the first link carries; programs send it with each request.
        port: Where we listen: cookies do not tell ports apart, so it is in the cookie's name.
    """

    token: str
    port: int

    @property
    def cookie_name(self) -> str:
        """The cookie's name."""
        return f"imageloom_{self.port}"

    @property
    def cookie(self) -> str:
        """The cookie's value, from which nobody learns the token."""
        return hashlib.sha256(f"imageloom session {self.token}".encode()).hexdigest()

    def is_token(self, text: str) -> bool:
        """Whether it is the token; the time this takes tells nothing."""
        return hmac.compare_digest(text.encode(), self.token.encode())

    def is_host(self, hosts: Sequence[str]) -> bool:
        """Whether a request with these ``Host`` headers was sent to us: there must be just one."""
        return len(hosts) == 1 and hosts[0].lower() in self._hosts()

    def refusal(
        self, method: str, headers: Mapping[str, str], hosts: Sequence[str]
    ) -> Refusal | None:
        """Return why a request is not answered, or None.

        Args:
            method: Of HTTP.
            headers: With names in lower case.
            hosts: All ``Host`` headers.
        """
        if not self.is_host(hosts):
            return _WRONG_HOST
        origin = headers.get("origin")
        if origin is not None and origin not in [f"http://{one}" for one in self._hosts()]:
            return _WRONG_ORIGIN
        if headers.get("sec-fetch-site", "") not in _SITES:
            return _WRONG_ORIGIN
        is_program = self._has_token(headers)
        if not is_program and not self._has_cookie(headers):
            return _NO_SESSION
        if method in SAFE_METHODS:
            return None
        if origin is None and not is_program:  # a browser always says where such a request is from
            return _WRONG_ORIGIN
        # Neither is a type that a form of another page could send without asking first.
        types = _TYPES_OF_PUT if method == "PUT" else _TYPES
        if not headers.get("content-type", "").lower().startswith(types):
            return _WRONG_TYPE
        return None

    def _hosts(self) -> tuple[str, ...]:
        return tuple(f"{name}:{self.port}" for name in LOOPBACK)

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        kind, _, value = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.is_token(value.strip())

    def _has_cookie(self, headers: Mapping[str, str]) -> bool:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie_name)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self.cookie.encode())


def read_or_make_token(file: Path) -> str:
    """Return the token of this person's studios; a new one where there is none.

    It outlives the server, so that a page goes on after the server was started anew. Nobody else
    may read the file.

    Raises:
        FailedToWriteOutputsError: It can be neither read nor made.
    """
    try:
        if file.is_file() and file.stat().st_mode & 0o077 == 0:
            known = file.read_text(encoding="ascii").strip()
            if len(known) >= _TOKEN_BYTES:
                return known
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.unlink(missing_ok=True)
        private = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(private, "w", encoding="ascii") as stream:
            stream.write(token)
    except (OSError, UnicodeDecodeError) as problem:
        failure = problem if isinstance(problem, OSError) else OSError(str(problem))
        raise write_failure(file, failure) from problem
    return token
