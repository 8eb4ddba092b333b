"""Through which of its network interfaces a machine talks to the other machines of a run."""

import socket

import psutil

from imageloom.errors import EnvironmentUnsuitableError


def addresses() -> dict[str, str]:
    """Return the IPv4 address of each network interface that has one, by the interface's name."""
    return {
        name: one.address
        for name, all_of_it in psutil.net_if_addrs().items()
        for one in reversed(all_of_it)  # so that the first one stays
        if one.family == socket.AF_INET
    }


def address_of(interface: str) -> str:
    """Return the address of an interface.

    Raises:
        EnvironmentUnsuitableError: This machine has none of that name, or none was named: what
            processes say to each other is neither encrypted nor signed, so a person must choose.
    """
    found = addresses()
    if interface in found:
        return found[interface]
    choice = ", ".join(f"{name} ({address})" for name, address in found.items())
    which = f"has no network interface {interface!r}" if interface else "needs a network interface"
    raise EnvironmentUnsuitableError(
        f"Training on several machines: this one {which}.",
        hint=f"Name one with --interface: {choice}. It must lead to a network that you trust: what "
        "processes exchange while they train is neither encrypted nor signed.",
        reason="no-interface",
    )


def interface_of(address: str) -> str:
    """Return the name of the interface that has an address; empty when none has it."""
    return next((name for name, own in addresses().items() if own == address), "")
