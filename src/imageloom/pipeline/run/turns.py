"""Whose turn it is where several people wait for the slots of a machine.

Who waits leaves a ticket beside the slots, and renews it while they look; one that is not renewed
is nobody's any more, so the dead hold nobody up. A free slot is for the person who was served
longest ago, and of theirs for the run that has waited longest. That is courtesy and no lock: if
those whose turn it is do not take it within moments, others do.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FRESH_S: Final = 3.0
PATIENCE_S: Final = 1.0
"""Who waits looks twenty times a second, so this is long, also on a busy machine."""

_RENEWED_EVERY_S: Final = 0.5
_LITTER_S: Final = 3600.0


@dataclass(frozen=True)
class _Ticket:
    person: str
    since: float
    run_id: str
    wanted: int


class Turns:
    """The turn of one run for one kind of slots.

    Args:
        slots: The folder of the slots.
        kind: Which of them.
        run_id: The run.
        person: Who asked for it; runs of one person wait in one line.
        now: A clock, in seconds since 1970.
    """

    def __init__(
        self,
        slots: Path,
        kind: str,
        *,
        run_id: str,
        person: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = slots / "turns"
        self._prefix = f"{kind}-"
        self._run_id = run_id
        self._person = person
        self._now = now
        self._since: float | None = None
        self._renewed = -_RENEWED_EVERY_S
        self._let_others_since: float | None = None

    def is_mine(self, wanted: int, num_free: Callable[[], int]) -> bool:
        """Whether free slots may be taken now, as far as others who wait are concerned.

        Args:
            wanted: How many are wanted; so many are free.
            num_free: Counts the free ones; asked only where others wait.
        """
        now = self._now()
        since = now if self._since is None else self._since
        mine = _Ticket(self._person, since, self._run_id, wanted)
        others = [one for one in self._tickets() if one.run_id != self._run_id]
        if others:
            free = num_free()
            able = [one for one in (mine, *others) if one.wanted <= free]
            first = min(able, key=self._order, default=mine)
            if first != mine:
                if self._let_others_since is None:
                    self._let_others_since = now
                return now - self._let_others_since > PATIENCE_S
        self._let_others_since = None
        return True

    def wait(self, wanted: int) -> None:
        """Leave a ticket, or renew it; without one others only go first."""
        now, file = self._now(), self._ticket
        if self._since is None:
            self._since = now
        if now - self._renewed < _RENEWED_EVERY_S:
            return
        content = {"person": self._person, "since": self._since, "wanted": wanted}
        new = file.with_name(f".{file.name}")
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(content), encoding="utf-8")
            os.utime(new, (now, now))
            new.replace(file)
        self._renewed = now

    def leave(self) -> None:
        """Wait no longer."""
        if self._since is not None:
            self._since, self._renewed = None, -_RENEWED_EVERY_S
            with contextlib.suppress(OSError):
                self._ticket.unlink(missing_ok=True)

    def serve(self) -> None:
        """Note that the person has just got slots."""
        now = self._now()
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            served = self._served(self._person)
            served.touch()
            os.utime(served, (now, now))

    @property
    def _ticket(self) -> Path:
        return self._folder / f"{self._prefix}{self._run_id}"

    def _tickets(self) -> Iterator[_Ticket]:
        try:
            names = [one for one in os.listdir(self._folder) if one.startswith(self._prefix)]  # noqa: PTH208 - 4 us instead of 20
        except OSError:
            return
        for name in names:
            file = self._folder / name
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                age_s = self._now() - file.stat().st_mtime
                if age_s < FRESH_S:
                    found = json.loads(file.read_text(encoding="utf-8"))
                    run_id = name.removeprefix(self._prefix)
                    yield _Ticket(
                        str(found["person"]), float(found["since"]), run_id, int(found["wanted"])
                    )
                elif age_s > _LITTER_S:
                    file.unlink()

    def _order(self, ticket: _Ticket) -> tuple[float, float, str]:
        try:
            served = self._served(ticket.person).stat().st_mtime
        except OSError:
            served = 0.0
        return served, ticket.since, ticket.run_id

    def _served(self, person: str) -> Path:
        digest = hashlib.sha256(person.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return self._folder / f"served-{self._prefix}{digest}"
