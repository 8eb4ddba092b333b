"""Keep the warnings of a decoder off the terminal, from any thread.

``warnings.catch_warnings`` alone is not safe here: of two threads that overlap, the second puts
back the filters that the first had set for itself, and they stay.
"""

import contextlib
import threading
import warnings
from collections.abc import Iterator


class QuietWarnings:
    """Ignores warnings while at least one thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters: warnings.catch_warnings[None] | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Ignore all warnings in the body."""
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings(action="ignore")
                self._filters.__enter__()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0 and self._filters is not None:
                    self._filters.__exit__(None, None, None)
