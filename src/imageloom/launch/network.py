"""Through which of its network interfaces a machine talks to the other machines of a run."""

import contextlib
import ipaddress
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


def own_address(interface: str, *, by_name: bool) -> str:
    """Return this machine's address on the network that leads to the others.

    Args:
        interface: Of that network; empty where nobody named one.
        by_name: Whether to take the network to which this machine's own name leads then.

    Raises:
        EnvironmentUnsuitableError: As ``address_of``.
    """
    if not interface and by_name:
        with contextlib.suppress(OSError):
            address = socket.gethostbyname(socket.gethostname())
            # Some systems give their own name an address that leads nowhere else.
            interface = sole_interface() if is_loopback(address) else interface_of(address)
    return address_of(interface)


def interface_towards(host: str) -> str:
    """Return the interface through which packets to a host leave; empty where that is not known."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect((host, 9))  # of a datagram's socket: it is only looked up, nothing is sent
        return interface_of(asker.getsockname()[0])
    return ""


def interface_variables(interface: str) -> dict[str, str]:
    """Return the variables that keep what ranks say to each other on one network interface.

    InfiniBand is not confined by them: it is no interface with an IP address.

    Source:
        https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html#nccl-socket-ifname
    """
    if not interface:
        return {}
    # Without the sign NCCL would take every interface whose name begins so: eth10 for eth1.
    return {"GLOO_SOCKET_IFNAME": interface, "NCCL_SOCKET_IFNAME": f"={interface}"}


def sole_interface() -> str:
    """Return the only interface that leads to other machines; empty when there are several."""
    found = [name for name, address in addresses().items() if not is_loopback(address)]
    return found[0] if len(found) == 1 else ""


def is_loopback(address: str) -> bool:
    """Whether an address leads nowhere but to this machine."""
    return ipaddress.ip_address(address).is_loopback


def interface_of(address: str) -> str:
    """Return the name of the interface that has an address; empty when none has it."""
    return next((name for name, own in addresses().items() if own == address), "")
