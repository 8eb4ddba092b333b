"""What libtiff calls an error while Pillow reads a TIFF file, which Pillow does not look at.

libtiff decodes damaged data as far as it can and tells of an error in words, on the terminal unless
somebody else listens. Pillow often goes on all the same. Here somebody listens: while a thread is
inside ``LibtiffErrors``, the errors of what it reads come to it.

The listener gets libtiff's text with places for values and the values as C's ``va_list``, which is
left alone. Warnings, as of unknown tags, do not come: Pillow switches them off.

Source: TIFFError(3tiff) of libtiff 4, whose interface is that of version 3, too.
"""

import contextlib
import ctypes
import functools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Final

import PIL._imaging

_MOST_ERRORS: Final = 16  # a hostile file could give millions
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
# From the first value on, with the small word before it: "Bad code word at line %u of %s".
_VALUES: Final = re.compile(r"(\W|\b(at|in|line|of|on|scanline|strip|tile)\b)*%.*", re.DOTALL)


class LibtiffErrors:
    """Takes the place of libtiff's own handler of errors while at least one thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: int | None = None
        self._of_thread = threading.local()
        self._handler = _Handler(self._listen)

    @contextlib.contextmanager
    def __call__(self) -> Iterator[list[str] | None]:
        """Yield a list that fills with what libtiff calls errors in this thread.

        It is None where Pillow's libtiff cannot be reached, which then talks to the terminal.
        """
        exchange = _exchange_handler()
        if exchange is None:
            yield None
            return
        heard: list[str] = []
        with self._lock:
            if self._inside == 0:
                self._before = exchange(ctypes.cast(self._handler, ctypes.c_void_p).value)
            self._inside += 1
        self._of_thread.heard = heard
        try:
            yield heard
        finally:
            self._of_thread.heard = None
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    exchange(self._before)

    def _listen(self, module: bytes | None, text: bytes | None, _values: int | None) -> None:
        heard = getattr(self._of_thread, "heard", None)
        if heard is not None and len(heard) < _MOST_ERRORS:
            heard.append(": ".join(filter(None, (_words(module), _words(text)))))


def _words(text: bytes | None) -> str:
    return _VALUES.sub("", (text or b"").decode("ascii", "backslashreplace"))


@functools.cache
def _exchange_handler() -> Callable[[int | None], int | None] | None:
    """Return libtiff's function that takes a handler and gives the one before; None if hidden."""
    try:
        exchange = ctypes.CDLL(PIL._imaging.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return None
    exchange.argtypes, exchange.restype = (ctypes.c_void_p,), ctypes.c_void_p
    return exchange
