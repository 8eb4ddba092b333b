"""The addresses under which people reach a studio; every other name is somebody else's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from imageloom.errors import ParameterParsingError

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")
_USUAL_PORTS: Final = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Site:
    """Where a studio is.

    Attributes:
        origins: As a browser says them: ``http://127.0.0.1:8460``.
    """

    origins: tuple[str, ...]

    @classmethod
    def of_this_machine(cls, port: int) -> Self:
        """Return the addresses that only this machine can ask."""
        return cls(tuple(f"http://{name}:{port}" for name in LOOPBACK))

    @classmethod
    def of(cls, origins: Sequence[str]) -> Self:
        """Return the addresses that a person named.

        Raises:
            ParameterParsingError: One is no address of a site.
        """
        return cls(tuple(dict.fromkeys(map(_normal, origins))))

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the header ``Host`` may say."""
        return tuple(one.partition("://")[2] for one in self.origins)

    @property
    def has_proxy(self) -> bool:
        """Whether something in front of us speaks TLS, for we do not."""
        return any(one.startswith("https://") for one in self.origins)

    def is_host(self, hosts: Sequence[str]) -> bool:
        """Whether a request with these ``Host`` headers was sent to us: there must be just one."""
        return len(hosts) == 1 and hosts[0].lower() in self.hosts


@dataclass(frozen=True)
class NetworkPlace:
    """Where a studio listens.

    Attributes:
        host: An address of this machine, without brackets.
        port: The port; 0 for any that is free.
    """

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the place that a person named as ``HOST:PORT``.

        Raises:
            ParameterParsingError: It is none.
        """
        host, _, port = text.rpartition(":")
        name = host.removeprefix("[").removesuffix("]")
        is_port = port.isascii() and port.isdecimal() and len(port) < 6 and int(port) < 65_536
        if not name or not is_port or (":" in name and not host.startswith("[")):
            raise ParameterParsingError(
                f"{text!r} is no place to listen.",
                hint="It looks like 127.0.0.1:8460, 192.168.1.5:8460 or [::1]:8460.",
                reason="no-place",
                details={"parameter": "listen"},
            )
        return cls(name, int(port))

    def require_one_address(self) -> None:
        """Refuse to stand for many addresses: nobody could tell the one that people use.

        Raises:
            ParameterParsingError: It does.
        """
        if self.host in ("0.0.0.0", "::"):
            raise ParameterParsingError(
                f"{self.host} stands for every address of this machine, so the one that people "
                "use must be named.",
                hint="Add --origin http://NAME:PORT, or the https address of the proxy in front. "
                "It may be repeated.",
                reason="no-origin",
                details={"parameter": "origin"},
            )

    @property
    def origin(self) -> str:
        """The address under which it is reached, where nobody said another."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.port}"


def _normal(origin: str) -> str:
    match = _ORIGIN.fullmatch(origin.strip().lower())
    port = "" if match is None else match[3] or ""
    if match is None or (port and not 0 < int(port) < 65_536):
        raise ParameterParsingError(
            f"{origin!r} is no address of a studio.",
            hint="It looks like https://studio.example.org or http://192.168.1.5:8460, without "
            "anything behind it.",
            reason="no-origin",
            details={"parameter": "origin"},
        )
    scheme, name = match[1], match[2]
    return f"{scheme}://{name}" + (f":{port}" if port and port != _USUAL_PORTS[scheme] else "")
