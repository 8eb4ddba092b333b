"""What JSON from a stranger may hold: plain values of a size that every reader can keep."""

import math
from collections.abc import Iterator
from typing import Final

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 1_000_000  # ten megabytes can hold five million, which take gigabytes to read
MAX_KEY_CHARS: Final = 1_000  # keys stand in messages
_MAX_BITS: Final = 64

Place = tuple["Place | None", str]  # a path into the content, shared between its branches


def first_unsafe_value(content: object) -> str:
    """Return what is wrong with the first value that cannot be kept loss-free, and where it stands.

    Python reads more than JSON can say: infinite numbers (``1e400``), integers without end, and
    halves of surrogate pairs, which neither UTF-8 nor a database can hold. The walk does not
    recurse.

    Returns:
        A sentence, or an empty text when all is well.
    """
    waiting: list[tuple[object, Place | None, int]] = [(content, None, 1)]
    left = MAX_VALUES
    while waiting:
        value, place, depth = waiting.pop()
        problem = _problem_of(value, depth)
        if problem:
            return f"{_path(place)} {problem}"
        if isinstance(value, dict | list):
            left -= len(value)
            if left < 0:
                return f"The content holds more than {MAX_VALUES:,} values."
            waiting += [(inner, (place, step), depth + 1) for step, inner in _inside(value)]
    return ""


def _inside(value: dict[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    """Yield what a container holds, the last first, with its step of the path."""
    if isinstance(value, dict):
        for key in reversed(value):
            yield f".{key}", value[key]
    else:
        for position in reversed(range(len(value))):
            yield f"[{position}]", value[position]


def _problem_of(value: object, depth: int) -> str:
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        return f"is nested more than {MAX_DEPTH} levels deep."
    match value:
        case dict() if any(not _is_key(key) for key in value):
            return f"has a key that is no text of at most {MAX_KEY_CHARS:,} characters."
        case bool() | None | dict() | list():
            return ""
        case int() if value.bit_length() > _MAX_BITS:
            bits = value.bit_length()
            return f"is a whole number of {bits:,} bits; at most {_MAX_BITS} are read."
        case float() if not math.isfinite(value):
            return f"is {value}, but must be a finite number."
        case str() if not _is_text(value):
            return "holds half of a surrogate pair, which is no text."
        case int() | float() | str():
            return ""
    return f"is of type {type(value).__name__}, which JSON does not have."


def _is_key(key: object) -> bool:
    return isinstance(key, str) and len(key) <= MAX_KEY_CHARS and _is_text(key)


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _path(place: Place | None) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(step if len(step) <= 80 else f"{step[:77]}...")
    return "".join(reversed(steps)).removeprefix(".") or "The content"
