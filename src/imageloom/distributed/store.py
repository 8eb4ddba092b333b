"""The store in which ranks find each other: ours, or the one of what started them."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from imageloom.errors import EnvironmentUnsuitableError, TimeoutOccuredError
from imageloom.events import CancelToken

if TYPE_CHECKING:
    from torch.distributed import Store as Store  # type: ignore[attr-defined]  # it is public

_LOOPBACK: Final = "127.0.0.1"
_TIMEOUT: Final = timedelta(seconds=60)
_TRY: Final = timedelta(seconds=2)  # to connect, before we look whether somebody asked to stop


Meet = Callable[[], "Store | None"]


def at_the_usual_place() -> None:
    """Return no store: processes then meet where torch elastic's variables say."""


@contextlib.contextmanager
def hosted_store(address: str = _LOOPBACK) -> Iterator[dict[str, str]]:
    """Keep a store for ranks while the body runs.

    The port is taken before anybody hears its number, so that nobody else can have it, and on one
    interface only: the store believes whoever connects.

    Args:
        address: Of this machine, on the interface by which all ranks reach it.

    Yields:
        The variables by which ``torch.distributed`` finds it (``init_method="env://"``).
    """
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # it is public

    listener = socket.create_server((address, 0))
    port = listener.getsockname()[1]
    store = TCPStore(
        address,
        port,
        is_master=True,
        wait_for_workers=False,
        timeout=_TIMEOUT,
        master_listen_fd=listener.detach(),
    )
    try:
        yield {
            "MASTER_ADDR": address,
            "MASTER_PORT": str(port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",  # rank 0 then keeps none of its own
        }
    finally:
        del store  # closes it


def joined_store(
    place: Mapping[str, str], rank: int, *, timeout_s: float, cancel: CancelToken
) -> "Store":
    """Return the store of all ranks: that of torch's default group, or the one at a place.

    At a place rank 0 keeps it, where what started the ranks does not.

    Args:
        place: Says where, in the variables that torch.distributed knows.
        rank: Which rank this is.
        timeout_s: How long to wait until somebody keeps it.
        cancel: Stops the waiting.

    Raises:
        EnvironmentUnsuitableError: The variables say no place, or rank 0 cannot listen there.
        TimeoutOccuredError: Nobody keeps it.
        RunInterruptedError: Somebody asked to stop.
    """
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    if (existing := _store_of_group()) is not None:
        return _for_this_run(existing, place, rank)
    address, port = place["MASTER_ADDR"], _port(place)
    keeps = rank == 0 and place.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    deadline = time.monotonic() + timeout_s
    while True:
        cancel.raise_if_set()
        try:
            store = TCPStore(
                address,
                port,
                is_master=keeps,
                wait_for_workers=False,
                timeout=_TRY,
                multi_tenant=True,
            )
        except RuntimeError as problem:
            if keeps:
                raise _cannot_listen(address, port, problem) from problem
            if time.monotonic() > deadline:
                raise _nobody_listens(address, port, timeout_s, problem) from problem
        else:
            store.set_timeout(_TIMEOUT)
            return _for_this_run(store, place, rank)


def _for_this_run(store: "Store", place: Mapping[str, str], rank: int) -> "Store":
    """Return the part of a store in which nothing of an earlier start or run is found."""
    # A store of torch's agent outlives its ranks; one of rank 0 is new. Agents count restarts each
    # for itself: one that starts ranks again because another one does counts none.
    is_old = place.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    restarts = place.get("TORCHELASTIC_RESTART_COUNT", "0") if is_old else "0"
    ours = part_of(store, f"imageloom/{restarts}")
    return part_of(ours, f"{ours.add(f'calls/{rank}', 1)}")


def part_of(store: "Store", name: str) -> "Store":
    """Return a part of a store whose words have nothing to do with those of others."""
    from torch.distributed import PrefixStore  # type: ignore[attr-defined]

    part: Store = PrefixStore(name, store)
    return part


def _store_of_group() -> "Store | None":
    """Return the store of torch's default group, where somebody made that in this process."""
    import torch.distributed as dist

    if not dist.is_initialized():
        return None
    return dist.distributed_c10d._get_default_store()


def _port(place: Mapping[str, str]) -> int:
    text = place["MASTER_PORT"]
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**16:
        return int(text)
    raise EnvironmentUnsuitableError(
        f"MASTER_PORT is {text!r}, but must be a whole number from 1 to 65535.",
        hint="It is set by what starts the processes.",
        reason="bad-rank",
    )


def _cannot_listen(address: str, port: int, problem: Exception) -> EnvironmentUnsuitableError:
    return EnvironmentUnsuitableError(
        f"Rank 0 cannot listen on port {port} (MASTER_PORT): {_first_line(problem)}",
        hint=f"Is MASTER_ADDR ({address}) the machine of rank 0, and is the port free? Give "
        "another one.",
        reason="no-store",
    )


def _nobody_listens(
    address: str, port: int, timeout_s: float, problem: Exception
) -> TimeoutOccuredError:
    return TimeoutOccuredError(
        f"Rank 0 did not listen at {address}:{port} (MASTER_ADDR, MASTER_PORT) for "
        f"{timeout_s:g} s: {_first_line(problem)}",
        hint="Does rank 0 run there, and does no firewall stand in between? --wait-for-nodes sets "
        "how long to wait.",
        reason="no-leader",
    )


def _first_line(problem: Exception) -> str:
    return str(problem).partition("\n")[0]
