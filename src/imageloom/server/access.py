"""Who may ask: whoever is signed in, and only from our own page.

Every request is looked at before anything else is: a ``Host`` that is not ours means that a name
of somebody else was made to point here, an ``Origin`` that is not ours that another page asks.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import ClassVar, Final, Protocol

from imageloom.errors import write_failure
from imageloom.server.people.register import People
from imageloom.server.people.roles import Person
from imageloom.server.site import Site

SAFE_METHODS: Final = ("GET", "HEAD")
SIGN_IN: Final = "/api/session/sign-in"
VIEW: Final = re.compile(r"/(?!api/|docs$)(?:[A-Za-z0-9_-][A-Za-z0-9_/-]*)?")
"""The address of a view of the page."""

_TOKEN_BYTES: Final = 32
_SITES: Final = ("", "same-origin", "none")
_TYPES: Final = ("application/json",)
_TYPES_OF_PUT: Final = (*_TYPES, "application/octet-stream")  # a part of an upload
_PAGE_FILES: Final = re.compile(r"/assets/[A-Za-z0-9._-]+|/[A-Za-z0-9_-]+\.(?:svg|png|ico)")


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


@dataclass(frozen=True)
class Visitor:
    """Who sent a request.

    Attributes:
        person: The user; None for the machine's owner.
        is_program: Whether a header says so, which no other page can make a browser send.
        secret: That of the session; empty for the machine's owner.
    """

    person: Person | None
    is_program: bool
    secret: str = ""


_NO_TOKEN: Final = Refusal(
    401,
    "no-session",
    "This page needs the link that 'imageloom studio' printed.",
    "Open that link once in this browser; it stays signed in. Programs send the token as "
    "'Authorization: Bearer TOKEN'.",
)
_NOT_SIGNED_IN: Final = Refusal(
    401,
    "signed-out",
    "You are not signed in.",
    "Open the studio's page and sign in. Programs send the secret of a session as 'Authorization: "
    "Bearer SECRET'.",
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


class Gate(Protocol):
    """How people get into a studio."""

    @property
    def site(self) -> Site:
        """Its addresses."""

    @property
    def people(self) -> People | None:
        """Who may sign in; None where there is only the machine's owner."""

    @property
    def cookie_name(self) -> str:
        """The name of the cookie that keeps somebody signed in."""

    @property
    def no_entry(self) -> Refusal:
        """What those are told whom nobody knows."""

    def visitor(self, headers: Mapping[str, str]) -> Visitor | None:
        """Return who sends a request with these headers, or None; it may read files."""

    def is_open(self, method: str, path: str) -> bool:
        """Whether something is answered to whoever asks."""

    def cookie_for(self, token: str) -> str | None:
        """Return the value of the cookie that a link with a token is worth, or None."""


@dataclass(frozen=True)
class Access:
    """The door of a studio that only its own machine can ask: its owner comes by a token.

    Attributes:
        token: What the first link carries; programs send it with each request.
        port: Where we listen: cookies do not tell ports apart, so it is in the cookie's name.
    """

    token: str
    port: int
    people: None = None
    no_entry: ClassVar[Refusal] = _NO_TOKEN

    @property
    def site(self) -> Site:
        """The names of this machine for itself."""
        return Site.of_this_machine(self.port)

    @property
    def cookie_name(self) -> str:
        """The cookie's name."""
        return f"imageloom_{self.port}"

    @property
    def cookie(self) -> str:
        """The cookie's value, from which nobody learns the token."""
        return hashlib.sha256(f"imageloom session {self.token}".encode()).hexdigest()

    def visitor(self, headers: Mapping[str, str]) -> Visitor | None:
        """Return the machine's owner, where a request shows the token or the cookie."""
        if self._is_token(bearer_of(headers)):
            return Visitor(None, is_program=True)
        found = _cookie(headers, self.cookie_name)
        is_owner = hmac.compare_digest(found.encode(), self.cookie.encode())
        return Visitor(None, is_program=False) if is_owner else None

    def is_open(self, method: str, path: str) -> bool:  # noqa: ARG002 - nothing is
        """Nothing is open to others."""
        return False

    def cookie_for(self, token: str) -> str | None:
        """Return the cookie for the token."""
        return self.cookie if self._is_token(token) else None

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


@dataclass(frozen=True)
class PeopleAccess:
    """The door of a studio that listens on a network: people sign in.

    Attributes:
        people: Who may.
        site: Under which addresses.
        port: Where we listen.
    """

    people: People
    site: Site
    port: int
    no_entry: ClassVar[Refusal] = _NOT_SIGNED_IN

    @property
    def cookie_name(self) -> str:
        """The cookie's name, another one than that of the machine's owner."""
        return f"imageloom_people_{self.port}"

    def visitor(self, headers: Mapping[str, str]) -> Visitor | None:
        """Return the user whose session a request shows."""
        for secret, is_program in (
            (bearer_of(headers), True),
            (_cookie(headers, self.cookie_name), False),
        ):
            person = self.people.sessions.person(secret)
            if person is not None:
                return Visitor(person, is_program, secret)
        return None

    def is_open(self, method: str, path: str) -> bool:
        """Whether it is the page itself, or signs somebody in.

        The page is one and the same for all and holds no secret. Where the API says that nobody is
        signed in, it asks who it is, and goes on with the view that was asked for: so no address
        ever has to say where to go afterwards.
        """
        is_page = VIEW.fullmatch(path) or _PAGE_FILES.fullmatch(path)
        return bool(is_page) if method in SAFE_METHODS else (method, path) == ("POST", SIGN_IN)

    def cookie_for(self, token: str) -> str | None:  # noqa: ARG002 - no link signs in
        """No link signs anybody in."""
        return None


def refusal_at(
    gate: Gate,
    method: str,
    headers: Mapping[str, str],
    hosts: Sequence[str],
    *,
    visitor: Visitor | None,
    is_open: bool = False,
) -> Refusal | None:
    """Return why a request is not answered, or None.

    Args:
        gate: Where it comes in.
        method: Of HTTP.
        headers: With names in lower case.
        hosts: All ``Host`` headers.
        visitor: Who asks.
        is_open: Whether nobody need be signed in for it.
    """
    refused = _refusal_before(gate.site, headers, hosts)
    if refused is None and visitor is None and not is_open:
        return gate.no_entry
    return refused or _refusal_of_change(method, headers, visitor)


def address_of(peer: str, headers: Mapping[str, str], site: Site) -> str:
    """Return from where a request comes: of a proxy on this machine, what it says last.

    Args:
        peer: Who is connected to us.
        headers: With names in lower case.
        site: Whether it has a proxy.
    """
    said = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return said if said and site.has_proxy and peer in ("127.0.0.1", "::1") else peer


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


def _refusal_before(site: Site, headers: Mapping[str, str], hosts: Sequence[str]) -> Refusal | None:
    """Return why a request is not answered, whoever sent it."""
    if not site.is_host(hosts):
        return _WRONG_HOST
    origin = headers.get("origin")
    if origin is not None and origin not in site.origins:
        return _WRONG_ORIGIN
    return _WRONG_ORIGIN if is_from_elsewhere(headers) else None


def _refusal_of_change(
    method: str, headers: Mapping[str, str], visitor: Visitor | None
) -> Refusal | None:
    """Return why a request that may change something is not answered."""
    if method in SAFE_METHODS:
        return None
    is_program = visitor is not None and visitor.is_program
    if "origin" not in headers and not is_program:
        return _WRONG_ORIGIN  # a browser always says where such a request is from
    # Neither is a type that a form of another page could send without asking first.
    types = _TYPES_OF_PUT if method == "PUT" else _TYPES
    return None if headers.get("content-type", "").lower().startswith(types) else _WRONG_TYPE


def is_from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that the page of another site asks.

    Source:
        Fetch Metadata Request Headers (W3C), Sec-Fetch-Site; programs send none.
    """
    return headers.get("sec-fetch-site", "") not in _SITES


def bearer_of(headers: Mapping[str, str]) -> str:
    """Return the secret of ``Authorization: Bearer``; empty for none."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Mapping[str, str], name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value
