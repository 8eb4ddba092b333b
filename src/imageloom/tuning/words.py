"""Values and numbers of trials as people read them."""

import shlex
from collections.abc import Iterable

from imageloom.params import value_text
from imageloom.reports.words import decimals
from imageloom.tuning.metric import Objective
from imageloom.tuning.vary import Choice


def metric_text(objective: Objective, value: float) -> str:
    """Return the number of a trial: ``93.4 %`` or ``0.412``."""
    return f"{100 * value:.2f} %" if objective.is_fraction else decimals(value)


def short_value(value: Choice) -> str:
    """Return a value of a parameter, a fraction to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else value_text(value)


def changes_text(changes: Iterable[str]) -> str:
    """Return changes as words of a command: ``--set train.epochs=3 --set ...``."""
    return shlex.join(word for change in changes for word in ("--set", change))
