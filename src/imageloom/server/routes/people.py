"""Signing in and out, and the users."""

import math
import time
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from imageloom.errors import InvalidRequestError
from imageloom.server.access import Gate, Visitor
from imageloom.server.needs import needs, needs_nobody
from imageloom.server.people.passwords import is_password
from imageloom.server.people.register import People
from imageloom.server.people.roles import Role
from imageloom.server.people.sessions import LIFE_S
from imageloom.server.people.users import User
from imageloom.server.studio import Studio, StudioNow

router = APIRouter(tags=["people"])
_UNKNOWN: Final = "(an unknown name)"  # perhaps a password that was typed into the wrong field

Password = Annotated[str, Field(max_length=1_000)]
UserName = Annotated[str, Field(max_length=64)]


class Credentials(BaseModel):
    """Who wants to sign in.

    Attributes:
        name: Of the user.
        password: Theirs.
    """

    name: UserName
    password: Password


class OwnPassword(BaseModel):
    """Another password for who asks.

    Attributes:
        old: The one of before.
        new: The one from now on.
    """

    old: Password
    new: Password


class NewUser(BaseModel):
    """Somebody to add.

    Attributes:
        name: What they sign in with.
        role: What they may do.
        password: Their first one.
    """

    name: UserName
    role: Role
    password: Password


class NewRole(BaseModel):
    """What a user may do from now on."""

    role: Role


class NewPassword(BaseModel):
    """What a user signs in with from now on."""

    password: Password


class UserRow(BaseModel):
    """A user in the list.

    Attributes:
        name: What they sign in with.
        role: What they may do.
        added: When they were added, in seconds since 1970, UTC.
    """

    name: str
    role: Role
    added: float


@router.post("/session/sign-in", status_code=204)
@needs_nobody("sign in")
def sign_in(request: Request, studio: StudioNow, who: Credentials) -> Response:
    """Sign in; the session is in a cookie that only this server is sent."""
    people = _people(studio)
    user = people.users.find(who.name)
    studio.deeds.who = who.name if user is not None else _UNKNOWN
    secret = people.sessions.begin(
        who.name, _require_password(request, people, who.name, who.password)
    )
    if people.sessions.person(secret) is None:  # removed or changed at this moment
        raise _wrong_password()
    door: Gate = request.app.state.door
    answer = Response(status_code=204)
    answer.set_cookie(
        door.cookie_name,
        secret,
        max_age=int(LIFE_S),
        httponly=True,
        samesite="strict",
        secure=request.headers.get("origin", "").startswith("https://"),
    )
    return answer


@router.post("/session/sign-out", status_code=204)
@needs(Role.VIEWER, "sign out")
def sign_out(request: Request, studio: StudioNow) -> Response:
    """Sign out: the session ends, not only the cookie."""
    visitor = request.state.visitor
    if isinstance(visitor, Visitor):
        _people(studio).sessions.end(visitor.secret)
    door: Gate = request.app.state.door
    answer = Response(status_code=204)
    answer.delete_cookie(door.cookie_name, httponly=True, samesite="strict")
    return answer


@router.put("/session/password", status_code=204)
@needs(Role.VIEWER, "change own password")
def change_own_password(request: Request, studio: StudioNow, change: OwnPassword) -> None:
    """Change one's own password; all one's sessions end."""
    people = _people(studio)
    _require_password(request, people, studio.user, change.old)
    people.users.set_password(studio.user, change.new)


@router.get("/users")
@needs(Role.ADMIN)
def users(studio: StudioNow) -> list[UserRow]:
    """Return all users."""
    found = _people(studio).users.all()
    return [UserRow(name=name, role=one.role, added=one.added) for name, one in found.items()]


@router.post("/users", status_code=201)
@needs(Role.ADMIN, "add user")
def add_user(studio: StudioNow, new: NewUser) -> UserRow:
    """Add a user."""
    studio.deeds.on, now = new.name, time.time()
    _people(studio).users.add(new.name, new.role, new.password, now=now)
    return UserRow(name=new.name, role=new.role, added=now)


@router.put("/users/{name}/role", status_code=204)
@needs(Role.ADMIN, "change role")
def change_role(studio: StudioNow, name: str, change: NewRole) -> None:
    """Give a user another role; their sessions end."""
    _people(studio).users.set_role(name, change.role)


@router.put("/users/{name}/password", status_code=204)
@needs(Role.ADMIN, "change password")
def change_password(studio: StudioNow, name: str, change: NewPassword) -> None:
    """Give a user another password; their sessions end."""
    _people(studio).users.set_password(name, change.password)


@router.delete("/users/{name}", status_code=204)
@needs(Role.ADMIN, "remove user")
def remove_user(studio: StudioNow, name: str) -> None:
    """Remove a user, whose sessions end; what they own stays, and admins see it."""
    _people(studio).users.remove(name)


def _people(studio: Studio) -> People:
    if studio.people is None:
        raise InvalidRequestError(
            "This studio has one owner, and no users.",
            hint="'imageloom studio --listen' lets several people in.",
            reason="no-people",
        )
    return studio.people


def _require_password(request: Request, people: People, name: str, password: str) -> User:
    """Refuse a wrong password, with one answer for wrong names too, and too many trials.

    Returns:
        The user whose password it is.
    """
    address = request.state.address
    wait_s = people.trials.begin(name, address)
    if wait_s > 0:
        raise InvalidRequestError(
            f"Too many trials. The next one is heard in {math.ceil(wait_s)} s.",
            reason="too-many-trials",
            details={"retry_after_s": math.ceil(wait_s)},
        )
    user = people.users.find(name)
    is_right = is_password(password, None if user is None else user.password)
    if user is None or not is_right:
        raise _wrong_password()
    people.trials.succeed(name, address)
    return user


def _wrong_password() -> InvalidRequestError:
    return InvalidRequestError(
        "The name or the password is wrong.",
        hint="An admin can give you a new password.",
        reason="wrong-password",
    )
