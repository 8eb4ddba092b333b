"""Passwords as argon2id hashes: the only form in which they are kept."""

import functools
import threading
from typing import TYPE_CHECKING, Final

from imageloom.errors import ParameterParsingError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARS: Final = 12
MAX_BYTES: Final = 1_000  # what is hashed is read whole
# Each takes 64 MiB for some 50 ms; more at once would only take more memory.
_AT_ONCE: Final = threading.BoundedSemaphore(2)


def require_password(password: str, user: str) -> None:
    """Refuse a password that is soon guessed.

    Raises:
        ParameterParsingError: It is too short, too long, or the user's name; it is not repeated.
    """
    problem = ""
    if len(password) < MIN_CHARS:
        problem = f"The password has {len(password)} characters, but must have at least {MIN_CHARS}"
    elif len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        problem = f"The password is longer than {MAX_BYTES} bytes"
    elif password.casefold().strip() == user.casefold() or len(set(password)) < 4:
        problem = "The password is too easily guessed"
    if problem:
        raise ParameterParsingError(
            f"{problem}.",
            hint="Several words that do not belong together are long, and easy to remember.",
            reason="weak-password",
            details={"parameter": "password"},
        )


def hash_password(password: str) -> str:
    """Return the hash that is kept, with its own salt and settings in it."""
    with _AT_ONCE:
        return _hasher().hash(password)


def is_password(password: str, known: str | None) -> bool:
    """Whether a password is the one that was hashed.

    Args:
        password: What somebody typed.
        known: The hash, or None where there is no such user, which takes just as long.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        password = ""  # no password is so long
    try:
        with _AT_ONCE:
            is_right = _hasher().verify(known if known is not None else _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return is_right and known is not None


@functools.cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@functools.cache
def _hash_of_nobody() -> str:
    return _hasher().hash("the password of nobody")
