"""What was seen outside a pipeline a moment ago, so that a page may ask after each change."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from imageloom.pipeline.graph.resolve import ResolvedNode
from imageloom.pipeline.run.keys import look_outside
from imageloom.spec.component import Outside

_LIFETIME_S: Final = 3.0
_REST: Final = 10  # a look that took a second is good for ten: at most a tenth of a core goes
_MOST: Final = 1_000


@dataclass(frozen=True)
class _Seen:
    text: str
    until: float


class OutsideMemo:
    """Looks outside as nodes do, and for a few seconds remembers what it saw there.

    A forecast may be that much behind; a run always looks itself. Several threads may use one.

    Args:
        lifetime_s: Seconds for which a look is good, or ten times as long as it took when that is
            more. An error is not remembered: it took no time, and somebody mends it.
        clock: Seconds that only grow.
    """

    def __init__(
        self, lifetime_s: float = _LIFETIME_S, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._seen: dict[tuple[str, str, Outside], _Seen] = {}
        self._lock = threading.Lock()

    def look(self, resolved: ResolvedNode, outside: Outside) -> str:
        """Return what ``look_outside`` returns now or returned a moment ago.

        Raises:
            ImageloomError: There is nothing where the node reads.
        """
        if resolved.component.fingerprint is None:
            return ""
        key = (resolved.component.name, resolved.params.model_dump_json(), outside)
        begin = self._clock()
        with self._lock:
            known = self._seen.get(key)
        if known is not None and begin < known.until:
            return known.text
        text = look_outside(resolved, outside)
        end = self._clock()
        with self._lock:
            if len(self._seen) >= _MOST:
                self._seen = {one: seen for one, seen in self._seen.items() if end < seen.until}
            if len(self._seen) < _MOST:
                until = end + max(self._lifetime_s, _REST * (end - begin))
                self._seen[key] = _Seen(text, until)
        return text
