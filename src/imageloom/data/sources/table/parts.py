"""The parts of a dataset, such as train and test, that a column of a manifest tells apart."""

import shlex
from collections import Counter
from pathlib import Path
from typing import Final

from imageloom.data.sources.parts import role_of
from imageloom.errors import InvalidDatasetError
from imageloom.system.wording import count, some

ALL: Final = "all"


class PartChoice:
    """Takes the rows of one part and counts those of each.

    Args:
        manifest: For messages.
        part: The part to take, ``all``, or None when nothing was asked for: then the rows may not
            be of several parts.
    """

    def __init__(self, manifest: Path, part: str | None) -> None:
        self._manifest = manifest
        self._part = part
        self._rows: Counter[str] = Counter()

    def takes(self, part: str | None) -> bool:
        """Count a row and return whether it is to be taken."""
        name = (part or "").strip()
        self._rows[name] += 1
        return self._part in (None, ALL) or self._is_asked(name)

    def refuse(self) -> None:
        """Refuse rows of several parts of which none was chosen, or of none that was.

        Raises:
            InvalidDatasetError: The message counts the rows of each part.
        """
        parts = [name for name in self._rows if name]
        if self._part is None and parts and all(map(role_of, parts)) and len(self._rows) > 1:
            option = f"--part {shlex.quote(parts[0])}"
            raise InvalidDatasetError(
                f"{self._manifest} holds parts of a dataset: {self._counted()}.",
                hint=f"Use 'imageloom data convert' with {option}, and so on for each part; "
                f"--part {ALL} joins them.",
                reason="several-parts",
                details={"parts": sorted(parts), "option": option},
            )
        if self._part not in (None, ALL) and not any(map(self._is_asked, self._rows)):
            raise InvalidDatasetError(
                f"{self._manifest} has no row of part {self._part!r}, but {self._counted()}.",
                hint="Give one of its parts with --part; a column such as 'split' names them.",
                reason="no-such-part",
                details={"parts": sorted(parts)},
            )

    def notice(self) -> str | None:
        """Return what was taken and what was not, if there was a choice."""
        others = {name: rows for name, rows in self._rows.items() if not self._is_asked(name)}
        if self._part in (None, ALL) or not others:
            return None
        taken = count(self._rows.total() - sum(others.values()), "row")
        return (
            f"{taken} of part {self._part!r} taken from {self._manifest.name}; not those of "
            f"{_counted(others)}."
        )

    def _is_asked(self, name: str) -> bool:
        return self._part is not None and name.casefold() == self._part.casefold()

    def _counted(self) -> str:
        return _counted(self._rows)


def _counted(rows: dict[str, int]) -> str:
    return some(
        [
            f"{f'part {name!r}' if name else 'no part'} ({count(times, 'row')})"
            for name, times in rows.items()
        ],
        most=5,
    )
