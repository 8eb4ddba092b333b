"""Corrections of pictures as a person makes them, and as a line of text each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from imageloom.errors import ParameterParsingError

_HINT: Final = (
    'A correction is a line such as {"file": "ants/1.jpg", "label": "bees"} or {"file": '
    '"ants/2.jpg", "exclude": true}, with "sha256" of the picture where it is known.'
)
_KEYS: Final = {"file", "sha256", "label", "exclude"}
_DIGEST_LENGTH: Final = 64
_MOST_SHOWN: Final = 200


@dataclass(frozen=True)
class Correction:
    """What shall be different about one picture.

    Attributes:
        file: Its path relative to the root of the image directory, as ``ImageDirectory.file`` has
            it.
        label: Its new class; None to leave the picture out.
        sha256: Of the picture that was looked at, in hexadecimal; empty where that does not matter.
    """

    file: str
    label: str | None
    sha256: str = ""

    def to_line(self) -> str:
        """Return it as ``parse_corrections`` reads it."""
        what: dict[str, object] = {"file": self.file}
        if self.sha256:
            what["sha256"] = self.sha256
        what |= {"exclude": True} if self.label is None else {"label": self.label}
        return json.dumps(what, ensure_ascii=False)


def parse_corrections(lines: Iterable[str]) -> tuple[Correction, ...]:
    """Read corrections, one JSON object per line; empty lines do not count.

    Raises:
        ParameterParsingError: A line is something else; the message has its number, from 1.
    """
    return tuple(_parse(number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _parse(number: int, line: str) -> Correction:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise _wrong(number, line, f"is no JSON ({str(problem)[:80]})") from problem
    if not isinstance(content, dict):
        raise _wrong(number, line, "is no JSON object")
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise _wrong(number, line, f"has the unknown key {unknown[0]!r}")
    file, label, digest = (content.get(key) for key in ("file", "label", "sha256"))
    excludes = content.get("exclude", False)
    if not isinstance(file, str) or not file:
        raise _wrong(number, line, f"has the file {file!r}, but must name one")
    if not isinstance(excludes, bool) or excludes == isinstance(label, str):
        raise _wrong(number, line, 'must have either a "label", which is text, or "exclude": true')
    if not isinstance(digest, str | None) or (digest and not _is_digest(digest)):
        raise _wrong(number, line, f"has the sha256 {digest!r}, but needs 64 hexadecimal digits")
    return Correction(file, None if excludes else label, (digest or "").lower())


def _is_digest(text: str) -> bool:
    return len(text) == _DIGEST_LENGTH and set(text.lower()) <= set("0123456789abcdef")


def _wrong(number: int, line: str, what: str) -> ParameterParsingError:
    return ParameterParsingError(
        f"Correction {number} {what}: {line[:_MOST_SHOWN]}",
        hint=_HINT,
        reason="bad-correction",
        details={"parameter": "corrections", "line": number},
    )
