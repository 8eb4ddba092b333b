"""The store in which ranks find each other, kept by a process that is none of them."""

import contextlib
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
_TIMEOUT: Final = timedelta(seconds=60)


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
