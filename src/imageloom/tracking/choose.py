"""Which trackers are meant by the names that a person wrote."""

from collections.abc import Sequence
from typing import Final

import imageloom.tracking.trackers
from imageloom.errors import ParameterParsingError
from imageloom.registry import import_submodules
from imageloom.tracking.tracker import TRACKERS, Tracker, Variables, require_ready

NOBODY: Final = "none"  # in place of a name, where others would be taken

import_submodules(imageloom.tracking.trackers)


def chosen_trackers(names: Sequence[str]) -> list[Tracker]:
    """Return the trackers of these names, each once.

    Raises:
        UnknownNameError: There is none of a name.
        ParameterParsingError: ``none`` stands beside others.
    """
    if NOBODY in names and set(names) != {NOBODY}:
        raise ParameterParsingError(
            f"track is {', '.join(names)}, but '{NOBODY}' means that nobody tracks.",
            hint=f"Take '{NOBODY}' out, or the others.",
            details={"parameter": "track"},
        )
    return [TRACKERS.get(name) for name in dict.fromkeys(names) if name != NOBODY]


def require_trackers(names: Sequence[str], environment: Variables) -> None:
    """Refuse what cannot track, before anything is trained.

    Raises:
        ImageloomError: As ``chosen_trackers`` and ``require_ready``.
    """
    for tracker in chosen_trackers(names):
        require_ready(tracker, environment)
