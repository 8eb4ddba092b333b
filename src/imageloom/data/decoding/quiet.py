"""Keep what a decoder says off the terminal, from any thread: warnings, and what Pillow logs.

``warnings.catch_warnings`` alone is not safe here: of two threads that overlap, the second puts
back the filters that the first had set for itself, and they stay.
"""

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Final

# Says what the exception says, too. Without a handler of the user's it goes to the terminal.
_PILLOWS_LOGGER: Final = logging.getLogger("PIL.TiffImagePlugin")


class QuietWarnings:
    """Ignores both while at least one thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_disabled = False
        self._filters: warnings.catch_warnings[None] | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Ignore all warnings, and what Pillow logs of TIFF files, in the body."""
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings(action="ignore")
                self._filters.__enter__()
                self._was_disabled = _PILLOWS_LOGGER.disabled
                _PILLOWS_LOGGER.disabled = True
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0 and self._filters is not None:
                    self._filters.__exit__(None, None, None)
                    _PILLOWS_LOGGER.disabled = self._was_disabled
