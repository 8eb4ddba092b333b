"""What limited the speed of an epoch, and what would lift that: numbers in, one sentence out."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from imageloom.data.loading.reading_times import PARTS, ReadingPart, ReadingTimes
from imageloom.system.wording import count

Cause = Literal[ReadingPart, "passing", "starting"]
Limit = Literal[Cause, "network", "others", "exchange", "validation"]

_WORTH_SAYING: Final = 0.1  # of the time
_HELD_UP: Final = 0.2  # of the time; a process that reaches less than 4/5 holds the others up so
_LONG_VALIDATION: Final = 0.5  # of the epoch
_GUIDE: Final = "See 'What limits the speed' in the guide to training."

_DOING: Final[dict[Cause, str]] = {
    "files": "reading files from the disk or the network",
    "digests": "comparing the SHA-256 of each file, which is done once",
    "decoding": "decoding",
    "operations": "scaling and random operations",
    "handover": "putting pictures into batches",
    "passing": "passing batches from the processes that read",
    "starting": "starting the processes that read, which is done once",
}


@dataclass(frozen=True)
class EpochTimes:
    """What one process measured in an epoch, in seconds.

    Attributes:
        steps: Of all steps.
        pictures: Of those, spent waiting for pictures.
        others: Of those, spent waiting for other processes.
        validation: Spent validating.
        reading: What was done for the pictures meanwhile, or before.
    """

    steps: float = 0.0
    pictures: float = 0.0
    others: float = 0.0
    validation: float = 0.0
    reading: ReadingTimes = field(default_factory=ReadingTimes)

    def __add__(self, other: "EpochTimes") -> "EpochTimes":
        return EpochTimes(
            steps=self.steps + other.steps,
            pictures=self.pictures + other.pictures,
            others=self.others + other.others,
            validation=self.validation + other.validation,
            reading=self.reading + other.reading,
        )

    @property
    def validation_fraction(self) -> float:
        """Validation's part of the whole epoch."""
        return self.validation / max(1e-9, self.steps + self.validation)

    def as_numbers(self) -> list[float]:
        """Return all of it in one row, as processes exchange it."""
        reading = dataclasses.astuple(self.reading)
        return [self.steps, self.pictures, self.others, self.validation, *reading]

    @classmethod
    def from_numbers(cls, row: Sequence[float]) -> "EpochTimes":
        """Return what ``as_numbers`` gave."""
        steps, pictures, others, validation, *reading = row
        return cls(steps, pictures, others, validation, ReadingTimes(*reading))

    def fraction(self, seconds: float) -> float:
        """Return a part of the steps' time, 0 to 1."""
        return min(1.0, max(0.0, seconds / max(1e-9, self.steps)))


@dataclass(frozen=True)
class Readers:
    """Who reads the pictures of one process.

    Attributes:
        workers: Processes that read ahead; with 0 its own threads read between its batches.
        cores: That this process may use.
        is_gpu: Whether the cores are idle while the network computes.
        has_cache: Whether they read scaled copies of the pictures.
    """

    workers: int
    cores: int
    is_gpu: bool
    has_cache: bool = False


@dataclass(frozen=True)
class Verdict:
    """What limited an epoch.

    Attributes:
        limit: In one word.
        text: In a sentence or two, with the numbers and what to do.
    """

    limit: Limit
    text: str


def verdict(ranks: Sequence[EpochTimes], readers: Readers) -> Verdict:
    """Return what limited an epoch.

    Args:
        ranks: What each process measured, by its rank.
        readers: Of each of them.
    """
    waits = [times.fraction(times.others) for times in ranks]
    slowest = min(range(len(ranks)), key=lambda rank: waits[rank])  # all wait for it
    times = ranks[slowest]
    held_up = max(waits) - waits[slowest]
    if times.validation_fraction >= _LONG_VALIDATION:
        return _validation(times)
    if held_up >= max(_HELD_UP, waits[slowest]):
        own = _of_pictures(times, readers)
        why = own.text if own else "Its network takes longer: is that machine or its GPU busy?"
        text = f"Up to {_percent(held_up)} of the time was spent waiting for rank {slowest}. {why}"
        return Verdict("others", text)
    if waits[slowest] >= max(_WORTH_SAYING, times.fraction(times.pictures)):
        return Verdict(
            "exchange",
            f"Exchanging gradients took {_percent(waits[slowest])} of the time: a larger "
            "--batch-size or more --accumulation-steps do it less often, a faster network "
            "between machines shortens it.",
        )
    return _of_pictures(times, readers) or _network(times, readers)


def cause_of_waits(times: EpochTimes) -> Cause:
    """Return what most of a process's waits for pictures were for."""
    reading = times.reading
    parts: dict[ReadingPart, float] = {part: getattr(reading, part) for part in PARTS}
    # Several read at once, and partly while nobody waits, so their seconds only share out
    # what is left of the wait.
    left = max(0.0, times.pictures - reading.passing - reading.starting)
    share = left / max(1e-9, sum(parts.values()))
    waits: dict[Cause, float] = {part: share * seconds for part, seconds in parts.items()}
    waits |= {"passing": reading.passing, "starting": reading.starting}
    return max(waits, key=lambda cause: waits[cause])


def words_of_waits(times: EpochTimes, readers: Readers) -> str:
    """Return how long a process waits for pictures and for what, in a few words."""
    waited = times.fraction(times.pictures)
    words = "waiting for pictures" if readers.workers else "reading pictures"
    cause = f" ({cause_of_waits(times)})" if waited >= _WORTH_SAYING else ""
    return f"{waited:.0%} {words}{cause}"


def _of_pictures(times: EpochTimes, readers: Readers) -> Verdict | None:
    waited = times.fraction(times.pictures)
    if waited < _WORTH_SAYING:
        return None
    cause = cause_of_waits(times)
    begin = (
        f"Waited {_percent(waited)} of the time for pictures, mostly for"
        if readers.workers
        else f"Reading pictures took {_percent(waited)} of the time, mostly"
    )
    advice = _advice(cause, readers)
    return Verdict(cause, f"{begin} {_DOING[cause]}{f': {advice}. {_GUIDE}' if advice else '.'}")


def _advice(cause: Cause, readers: Readers) -> str:
    """Return what to do, as the end of a sentence, or "" where it passes by itself."""
    more = _more_workers(readers)
    match cause:
        case "files":
            ahead = more or (
                f"use more --workers than {_cores(readers)}: one that waits needs no core"
                if readers.workers
                else "use --workers 1, which reads ahead while the network computes"
            )
            return f"{ahead}, or put the pictures on a faster disk{_cache(readers)}"
        case "decoding":
            return f"{more or _all_read(readers)}{_cache(readers)}"
        case "operations":
            return f"{more or _all_read(readers)}, or fewer random operations{_cache(readers)}"
        case "handover" | "passing":
            return "use a smaller --image-size, or fewer --workers where memory is busy"
        case _:
            return ""


def _cache(readers: Readers) -> str:
    return "" if readers.has_cache else ", or use --picture-cache resized"


def _more_workers(readers: Readers) -> str:
    if readers.workers >= readers.cores or not (readers.workers or readers.is_gpu):
        return ""
    return f"use more --workers (now {readers.workers}, with {_cores(readers)})"


def _all_read(readers: Readers) -> str:
    return f"use more cores (now {readers.cores}, which all read)"


def _cores(readers: Readers) -> str:
    return count(readers.cores, "core")


def _validation(times: EpochTimes) -> Verdict:
    return Verdict(
        "validation",
        f"Validating took {_percent(times.validation_fraction)} of the epoch: use fewer validation "
        "pictures, or fewer and longer epochs.",
    )


def _network(times: EpochTimes, readers: Readers) -> Verdict:
    waited = times.fraction(times.pictures)
    verb = "waited for pictures" if readers.workers else "went into reading pictures"
    return Verdict("network", f"The network is the limit: {_percent(waited)} of the time {verb}.")


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
