"""What is wrong with the rows of a manifest, told together so that a person mends them at once."""

from pathlib import Path
from typing import Final

from imageloom.errors import InvalidDatasetError
from imageloom.system.wording import count

_KEPT: Final = 100
_SHOWN: Final = 3


class ProblemList:
    """Collects what is wrong with rows; all count, the first 100 are kept."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._problems: list[str] = []
        self._total = 0

    def add(self, where: str, what: str) -> None:
        """Note one problem."""
        self._total += 1
        if len(self._problems) < _KEPT:
            self._problems.append(f"{where}: {what}")

    def raise_if_any(self, *, hint: str = "") -> None:
        """Raise when something was noted, with what to do if it is more than to correct rows.

        Raises:
            InvalidDatasetError: The message counts all and shows the first 3; the details have 100.
        """
        if not self._total:
            return
        shown = "; ".join(self._problems[:_SHOWN])
        more = f"; and {self._total - _SHOWN:,} more" if self._total > _SHOWN else ""
        raise InvalidDatasetError(
            f"{self._manifest} has {count(self._total, 'wrong row')}. {shown}{more}.",
            hint=hint or "Correct these places in a text editor.",
            reason="bad-rows",
            details={"problems": list(self._problems)},
        )
