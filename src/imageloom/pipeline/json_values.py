"""What JSON from a stranger may hold: plain values of a size that every reader can keep."""

import math
from typing import Final

MAX_DEPTH: Final = 64
_INTEGER_BITS: Final = 64

Place = tuple["Place | None", str]  # a path into the content, shared between its branches


def first_unsafe_value(content: object) -> str:
    """Return what is wrong with the first value that cannot be kept loss-free, and where it stands.

    Python reads more than JSON can say: infinite numbers (``1e400``), integers without end, and
    halves of surrogate pairs, which neither UTF-8 nor a database can hold. The walk does not
    recurse.

    Returns:
        A sentence without its subject's file, or an empty text when all is well.
    """
    waiting: list[tuple[object, Place | None, int]] = [(content, None, 1)]
    while waiting:
        value, place, depth = waiting.pop()
        problem = _problem_of(value, depth)
        if problem:
            return f"{_path(place)} {problem}"
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str) or _is_torn(key):
                    return f"{_path(place)} has the key {key!r}, which is no text."
            waiting += [(v, (place, f".{key}"), depth + 1) for key, v in reversed(value.items())]
        elif isinstance(value, list):
            numbered = reversed(list(enumerate(value)))
            waiting += [(v, (place, f"[{number}]"), depth + 1) for number, v in numbered]
    return ""


def _problem_of(value: object, depth: int) -> str:
    if isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            return f"is nested more than {MAX_DEPTH} levels deep."
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        if value.bit_length() > _INTEGER_BITS:
            return f"is a whole number of {value.bit_length():,} bits; at most 64 are read."
    elif isinstance(value, float):
        if not math.isfinite(value):
            return f"is {value}, but must be a finite number."
    elif isinstance(value, str):
        if _is_torn(value):
            return "holds half of a surrogate pair, which is no text."
    else:
        return f"is of type {type(value).__name__}, which JSON does not have."
    return ""


def _is_torn(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _path(place: Place | None) -> str:
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(part if len(part) <= 80 else f"{part[:77]}...")
    return "".join(reversed(parts)).removeprefix(".") or "The content"
