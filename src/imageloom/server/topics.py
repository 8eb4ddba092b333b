"""Each thing that is watched is looked at once, however many pages are open."""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Self

from pydantic import BaseModel

logger = logging.getLogger(__name__)
POLL_S: Final = 0.1
ASKED_AGAIN_S: Final = 2.0
"""How soon a page that nothing happens on learns that its person was signed out."""

_LOOKS_AT_ONCE: Final = 16


@dataclass(frozen=True)
class Snapshot:
    """How a topic stands.

    Attributes:
        topic: Its name.
        text: What was seen, as JSON: written once for all who are sent it.
        mark: Differs from that of every other snapshot of the topic.
    """

    topic: str
    text: str
    mark: str

    @classmethod
    def of(cls, topic: str, content: BaseModel) -> Self:
        """Return the snapshot of what was seen."""
        text = json.dumps(content.model_dump(mode="json"), sort_keys=True)
        return cls(topic, text, hashlib.sha256(text.encode()).hexdigest()[:16])


@dataclass
class _Topic:
    look: Callable[[], BaseModel]
    num_followers: int = 0
    newest: Snapshot | None = None
    task: "asyncio.Task[None] | None" = None


@dataclass
class Topics:
    """What is watched at this moment; for one event loop."""

    _topics: dict[str, _Topic] = field(default_factory=dict)
    # Threads of their own: looks at a disk that does not answer take away no other's.
    _lookers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_LOOKS_AT_ONCE, "look")
    )
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _is_closed: bool = False

    def close(self) -> None:
        """Let all followers go, in moments; any thread may call."""
        self._is_closed = True

    async def follow(
        self,
        wanted: Sequence[tuple[str, Callable[[], BaseModel]]],
        known: dict[str, str],
        *,
        may_follow: Callable[[Sequence[str]], bool] | None = None,
    ) -> AsyncIterator[Snapshot]:
        """Yield a snapshot of each topic whenever it is another one, until one side leaves.

        Args:
            wanted: The topics, and how to look at each; that must take moments.
            known: The marks of the snapshots that the caller has, by topic.
            may_follow: Whether the caller may still see all of the topics; when not, all ends. It
                is asked before each snapshot, and every few seconds; it may read files. None where
                it may.
        """
        seen = dict(known)
        names = [name for name, _ in wanted]
        with contextlib.ExitStack() as stack:
            for name, look in wanted:
                stack.enter_context(self._watching(name, look))
            while not self._is_closed:
                if may_follow is not None and not await asyncio.to_thread(may_follow, names):
                    return
                for snapshot in self._news(wanted, seen):
                    seen[snapshot.topic] = snapshot.mark
                    yield snapshot
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if may_follow is None else ASKED_AGAIN_S):
                        await self._wait_for_news(wanted, seen)

    async def _wait_for_news(
        self, wanted: Sequence[tuple[str, Callable[[], BaseModel]]], seen: dict[str, str]
    ) -> None:
        async with self._changed:
            while not self._is_closed and not self._news(wanted, seen):
                await self._changed.wait()

    def _news(
        self, wanted: Sequence[tuple[str, Callable[[], BaseModel]]], seen: dict[str, str]
    ) -> list[Snapshot]:
        newest = (self._topics[name].newest for name, _ in wanted)
        return [one for one in newest if one is not None and seen.get(one.topic) != one.mark]

    @contextlib.contextmanager
    def _watching(self, name: str, look: Callable[[], BaseModel]) -> Iterator[None]:
        topic = self._topics.setdefault(name, _Topic(look))
        topic.num_followers += 1
        if topic.task is None:
            topic.task = asyncio.create_task(self._watch(name, topic))
        try:
            yield
        finally:
            topic.num_followers -= 1
            if not topic.num_followers:
                topic.task.cancel()
                del self._topics[name]

    async def _watch(self, name: str, topic: _Topic) -> None:
        loop = asyncio.get_running_loop()
        while not self._is_closed:
            content = await loop.run_in_executor(self._lookers, _seen, topic.look)
            if content is not None:
                snapshot = Snapshot.of(name, content)
                if topic.newest != snapshot:
                    async with self._changed:
                        topic.newest = snapshot
                        self._changed.notify_all()
            await asyncio.sleep(POLL_S)
        async with self._changed:
            self._changed.notify_all()


def _seen(look: Callable[[], BaseModel]) -> BaseModel | None:
    """Look; what fails now, as on a disk that does not answer, is tried again."""
    try:
        return look()
    except Exception:
        logger.exception("A look at what pages follow failed; it is tried again.")
        return None
