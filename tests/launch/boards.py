"""A board in this process, for tests in which threads stand for ranks."""

import contextlib
from datetime import timedelta

from imageloom.distributed.board import Board
from imageloom.distributed.store import hosted_store


@contextlib.contextmanager
def boards(world_size):
    """Yield the boards of all ranks."""
    from torch.distributed import TCPStore

    with hosted_store() as place:
        address, port = place["MASTER_ADDR"], int(place["MASTER_PORT"])
        stores = [
            TCPStore(address, port, is_master=False, timeout=timedelta(seconds=5))
            for _ in range(world_size)
        ]
        yield [Board(store, rank, world_size) for rank, store in enumerate(stores)]
