"""What each route needs of whoever asks; one that does not say is answered to nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import Request

from imageloom.errors import InvalidRequestError
from imageloom.server.access import Visitor
from imageloom.server.people.roles import Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


@dataclass(frozen=True)
class Needed:
    """What a route needs.

    Attributes:
        role: What the person must at least be; None where nobody need be signed in.
        deed: What is written down of it; empty for what changes nothing.
    """

    role: Role | None
    deed: str = ""


@dataclass
class Deeds:
    """What a request does, as it is written down once it is answered.

    Attributes:
        what: A few words.
        on: To what; the route may know it only in the end.
        who: Who did; the route that signs in knows.
    """

    what: str
    on: str = ""
    who: str = ""


_NEEDED: Final[dict[Callable[..., object], Needed]] = {}


def needs(role: Role, deed: str = "") -> Callable[[Endpoint], Endpoint]:
    """Declare what a route needs.

    Args:
        role: What the person must at least be.
        deed: What is written down of it; empty for what changes nothing.
    """
    return _declare(Needed(role, deed))


def needs_nobody(deed: str) -> Callable[[Endpoint], Endpoint]:
    """Declare a route that answers without a session."""
    return _declare(Needed(None, deed))


def _declare(needed: Needed) -> Callable[[Endpoint], Endpoint]:
    def declare(endpoint: Endpoint) -> Endpoint:
        _NEEDED[endpoint] = needed
        return endpoint

    return declare


def needed_of(endpoint: object) -> Needed | None:
    """Return what a route needs, or None where it does not say."""
    return _NEEDED.get(endpoint) if callable(endpoint) else None


async def admit(request: Request) -> None:
    """Refuse whoever may not ask for the route.

    Raises:
        InvalidRequestError: Their role is too low, or the route does not say what it needs.
    """
    needed = needed_of(request.scope.get("endpoint"))
    visitor = request.state.visitor
    if needed is not None and needed.deed:
        on = " ".join(str(one) for one in request.path_params.values())
        request.state.deed = Deeds(needed.deed, on)
    if needed is not None and _may(visitor, needed):
        return
    raise InvalidRequestError(
        f"This needs the role {needed.role if needed is not None else 'of nobody'}.",
        hint="An admin can give you another role.",
        reason="role",
    )


def _may(visitor: object, needed: Needed) -> bool:
    if needed.role is None:
        return True
    if not isinstance(visitor, Visitor):
        return False
    # The machine's owner may do all.
    return visitor.person is None or visitor.person.role.includes(needed.role)
