"""What ranks tell each other while they have no group yet, or have lost it: words in a store."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from imageloom.distributed.lost_peers import LOST_REASON
from imageloom.distributed.store import part_of
from imageloom.errors import WorkerLostError

if TYPE_CHECKING:
    from imageloom.distributed.store import Store

BEAT_S: Final = 1.0


class Board:
    """A place where each rank writes words for all, and shows that it lives.

    Args:
        store: The same one in all ranks.
        rank: Which of them this is.
        world_size: How many there are.
    """

    def __init__(self, store: "Store", rank: int, world_size: int) -> None:
        self.rank = rank
        self.world_size = world_size
        self._store = store
        self._beats: dict[int, tuple[int, float]] = {}

    def tell(self, word: str, content: Mapping[str, JsonValue]) -> None:
        """Write this rank's content under a word.

        Raises:
            WorkerLostError: The store is gone; so with the other methods.
        """
        with _lost_store_named():
            self._store.set(f"{word}/{self.rank}", json.dumps(content))
            self._store.add(f"{word}/told", 1)

    def heard(self, word: str, rank: int) -> dict[str, JsonValue] | None:
        """Return what a rank wrote under a word, or None if it has not yet."""
        key = f"{word}/{rank}"
        with _lost_store_named():
            if not self._store.check([key]):
                return None
            content: dict[str, JsonValue] = json.loads(self._store.get(key))
        return content

    def told(self, word: str) -> int:
        """Return how many ranks have written under a word."""
        with _lost_store_named():
            return self._store.add(f"{word}/told", 0)

    def silent(self, word: str) -> list[int]:
        """Return the ranks that have written nothing under a word."""
        return [rank for rank in range(self.world_size) if self.heard(word, rank) is None]

    def part(self, name: str) -> "Store":
        """Return a part of the store, for the group that the ranks make."""
        return part_of(self._store, name)

    def beat(self) -> None:
        """Show that this rank lives."""
        with _lost_store_named():
            self._store.add(f"beat/{self.rank}", 1)

    def silent_for_s(self, rank: int) -> float:
        """Return for how long a rank has shown no life, as often as we looked."""
        with _lost_store_named():
            beats = self._store.add(f"beat/{rank}", 0)
        now = time.monotonic()
        before, since = self._beats.get(rank, (-1, now))
        self._beats[rank] = (beats, since if beats == before else now)
        return now - self._beats[rank][1]

    @contextlib.contextmanager
    def living(self, look: Callable[[], None]) -> Iterator[None]:
        """Show that this rank lives while the body runs, also where it waits for others.

        Args:
            look: Called before each beat, in the same thread.
        """
        over = threading.Event()

        def live() -> None:
            while not over.wait(BEAT_S):
                with contextlib.suppress(WorkerLostError):  # who waits for a word notices that
                    look()
                    self.beat()

        self.beat()
        thread = threading.Thread(target=live, name="imageloom-board", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(BEAT_S)


@contextlib.contextmanager
def _lost_store_named() -> Iterator[None]:
    try:
        yield
    except RuntimeError as problem:
        raise WorkerLostError(
            f"The store in which the ranks meet is gone: {str(problem).splitlines()[0]}",
            hint="Rank 0, or what started the ranks, has ended; its output says why.",
            reason=LOST_REASON,
        ) from problem
