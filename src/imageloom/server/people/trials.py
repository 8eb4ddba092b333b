"""How often somebody may try a password: counted where they do, and forgotten with the process."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 300.0
MOST_PER_USER: Final = 20
MOST_PER_ADDRESS: Final = 20
MOST_TOGETHER: Final = 5
"""Of one address with one name."""

_MOST_KEYS: Final = 10_000


class Trials:
    """The trials that failed of late.

    Each kind has a limit of its own: one address cannot try many names, many addresses not one
    name, and who mistypes a password does not lock out others of the same name elsewhere.

    Args:
        now: A clock, in seconds.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failed: dict[tuple[str, str], deque[float]] = {}

    def begin(self, user: str, address: str) -> float:
        """Count a trial as failed until ``succeed``; return seconds to wait, 0 to go on now.

        Args:
            user: The name that was typed, whether there is such a user or not.
            address: From where.
        """
        with self._lock:
            now = self._now()
            wait_s = max(self._wait_s(key, most, now) for key, most in _limits(user, address))
            if wait_s <= 0:
                self._make_room(now)
                for key, _ in _limits(user, address):
                    self._failed.setdefault(key, deque()).append(now)
            return wait_s

    def succeed(self, user: str, address: str) -> None:
        """Take the newest trial back: the password was right."""
        with self._lock:
            for key, _ in _limits(user, address):
                found = self._failed.get(key)
                if found:
                    found.pop()

    def _wait_s(self, key: tuple[str, str], most: int, now: float) -> float:
        found = self._failed.get(key, deque())
        while found and now - found[0] >= WINDOW_S:
            found.popleft()
        return WINDOW_S - (now - found[0]) if len(found) >= most else 0.0

    def _make_room(self, now: float) -> None:
        if len(self._failed) < _MOST_KEYS:
            return
        recent = {
            key: found
            for key, found in self._failed.items()
            if found and now - found[-1] < WINDOW_S
        }
        # Even so too many: those who failed least are forgotten, never those who tried most.
        kept = sorted(recent.items(), key=lambda one: len(one[1]))[-_MOST_KEYS // 2 :]
        self._failed = dict(kept)


def _limits(user: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return (
        ((user, address), MOST_TOGETHER),
        (("", address), MOST_PER_ADDRESS),
        ((user, ""), MOST_PER_USER),
    )
