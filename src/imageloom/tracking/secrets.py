"""What no log, no record and no screen may show: tokens, and passwords inside of addresses."""

import re
from collections.abc import Mapping
from typing import Final

HIDDEN: Final = "***"
_SECRET_NAMES: Final = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY")
_SHORTEST: Final = 4  # a secret of fewer characters would hide half of every message
_LOGIN: Final = re.compile(r"(?<=://)[^/@\s]+@")


def without_login(address: str) -> str:
    """Return an address without the user and password that may stand in it."""
    return _LOGIN.sub("", address)


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """Return a text of a library as it may be written down.

    Args:
        text: The text.
        environment: Variables, of which those that are called a secret are looked for.
    """
    for name, value in environment.items():
        is_secret = any(word in name.upper() for word in _SECRET_NAMES)
        if is_secret and len(value) >= _SHORTEST:
            text = text.replace(value, HIDDEN)
    return _LOGIN.sub(f"{HIDDEN}@", text)
