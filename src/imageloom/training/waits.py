"""What the processes of a run wait for, epoch by epoch: measured here, judged in ``verdict.py``."""

import logging
from collections.abc import Sequence
from typing import Final

from imageloom.data.loading.reading_times import ReadingTimes
from imageloom.events import Notice
from imageloom.system.machine import available_cores
from imageloom.training.session import Session
from imageloom.training.verdict import (
    EpochTimes,
    Limit,
    Readers,
    Verdict,
    verdict,
    words_of_waits,
)

logger = logging.getLogger(__name__)

_ENOUGH_S: Final = 10.0  # to judge by; shorter epochs are judged together


class EpochWaits:
    """Measures this process and says what limits all of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clock = session.stepper.exchange
        self._waited_for_others = self._clock.seconds if self._clock else 0.0
        self._times = EpochTimes()
        self._readers = Readers(
            workers=session.training_loader.reading.workers,
            cores=max(1, available_cores() // session.group.ranks.core_sharers),
            is_gpu=session.compute.is_gpu,
            has_cache=session.params.picture_cache != "off",
        )
        self._told: Limit = "network"

    def after_step(self, seconds: float, waiting_seconds: float, reading: ReadingTimes) -> None:
        """Note a step of this process.

        Args:
            seconds: That it took.
            waiting_seconds: Of those, spent waiting for pictures.
            reading: Of these pictures.
        """
        now = self._clock.seconds if self._clock else 0.0
        others, self._waited_for_others = now - self._waited_for_others, now
        self._times += EpochTimes(seconds, waiting_seconds, others, reading=reading)

    @property
    def words(self) -> str:
        """What this process waits for, in a few words for a screen."""
        return words_of_waits(self._times, self._readers)

    def end_epoch(self, epoch: int, validation_seconds: float) -> Verdict | None:
        """Say what limited the epoch, where it is another thing than was said before.

        All processes call it together.

        Args:
            epoch: Its number, from 1.
            validation_seconds: Spent validating after it.

        Returns:
            What limited it, and those before it that were too short to tell; None where it still
            is too short.
        """
        self._times += EpochTimes(validation=validation_seconds)
        rows = self._session.group.gather(self._times.as_numbers())
        found = judged([EpochTimes.from_numbers(row) for row in rows], self._readers)
        if found is None:
            return None
        self._times = EpochTimes()
        text = f"Epoch {epoch}: {found.text}"
        if found.limit == self._told:
            logger.info("%s", text)
        else:
            self._session.reporter.notice(Notice("info", text))
            self._told = found.limit
        return found


def judged(ranks: Sequence[EpochTimes], readers: Readers) -> Verdict | None:
    """Return what limited all processes, or None where the first measured too little."""
    enough = ranks[0].steps + ranks[0].validation >= _ENOUGH_S
    return verdict(ranks, readers) if enough else None
