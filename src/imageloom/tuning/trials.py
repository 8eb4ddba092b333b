"""The trials of a study, kept and proposed by Optuna; the only file that knows it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from imageloom.errors import write_failure
from imageloom.system.extras import require_packages
from imageloom.tuning.metric import Direction
from imageloom.tuning.study_folder import Prune, StudyFolder, StudyRecord
from imageloom.tuning.vary import Choice, ChoiceList, NumberRange, Varied

if TYPE_CHECKING:
    import optuna

TrialState = Literal["running", "completed", "pruned", "failed"]

_PACKAGE: Final = "optuna"
_RUN: Final = "run"
_SECONDS: Final = "seconds"
_WHY: Final = "why"
_HOPELESS: Final = "hopeless"


@dataclass(frozen=True)
class Trial:
    """What is known of one trial.

    Attributes:
        number: From 0.
        state: ``running`` also where its process was lost.
        values: What was proposed, by names such as ``train.learning_rate``.
        value: The number by which trials are compared; None while, and where, there is none.
        run: Id of its run; empty before that began.
        seconds: Time that was spent on it.
        why: Why it was stopped or failed; empty otherwise.
        is_hopeless: Whether it was found hopeless, and only has still to stop.
    """

    number: int
    state: TrialState
    values: Mapping[str, Choice]
    value: float | None = None
    run: str = ""
    seconds: float = 0.0
    why: str = ""
    is_hopeless: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether it counts as one of those that were asked for; one that failed does not."""
        return self.state in ("completed", "pruned")


def ranked(trials: Iterable[Trial], direction: Direction) -> list[Trial]:
    """Return those that have a number, the best first, of equals the first."""
    done = [one for one in trials if one.state == "completed" and one.value is not None]
    sign = 1 if direction == "minimize" else -1
    return sorted(done, key=lambda one: (sign * (one.value or 0.0), one.number))


def require_optuna() -> None:
    """Refuse to tune where Optuna is not installed, before anything runs.

    Raises:
        EnvironmentUnsuitableError: The message names the extra that installs it.
    """
    require_packages("Tuning", (_PACKAGE,), "tune")


class StudyTrials:
    """The trials of one study, on disk after every call.

    Each proposal is drawn by a sampler of its own, whose seed is made of the study's seed and the
    trial's number. So it depends on nothing but the trials before it, and a study that was killed
    and goes on proposes what it would have proposed.

    Args:
        folder: Where they are kept.
        record: What was asked.
        varied: What is varied.

    Raises:
        FailedToWriteOutputsError: They cannot be written.
    """

    def __init__(self, folder: StudyFolder, record: StudyRecord, varied: Sequence[Varied]) -> None:
        import optuna
        from sqlalchemy.engine import URL

        self._folder = folder
        self._seed = record.seed
        self._direction = record.direction
        self._names = [one.name for one in varied]
        self._spaces = {one.name: _distribution(one.space) for one in varied}
        # What it would tell of itself, trial by trial, is told by us.
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        url = URL.create("sqlite", database=str(folder.storage))
        with self._writing():
            self._study = optuna.create_study(
                storage=url.render_as_string(),
                study_name=record.name,
                direction=record.direction,
                pruner=_pruner(record.prune),
                load_if_exists=True,
            )

    def all(self) -> tuple[Trial, ...]:
        """Return all trials in the order of their numbers."""
        return tuple(self._trial(one) for one in self._study.get_trials(deepcopy=False))

    def best(self) -> Trial | None:
        """Return the best completed trial, of equals the first; None before there is any."""
        return next(iter(ranked(self.all(), self._direction)), None)

    def next(self) -> Trial:
        """Return the trial that a lost process left behind, or else a new one."""
        for one in self.all():
            if one.state == "running" and len(one.values) == len(self._names):
                return one
            if one.state == "running":
                self.fail(one.number, "lost while its values were proposed")
        with self._writing():
            self._study.sampler = self._sampler(len(self._study.get_trials(deepcopy=False)))
            number = self._study.ask(self._spaces).number
        return self.all()[number]

    def begin(self, number: int, run_id: str) -> None:
        """Write down which run a trial is."""
        self._note(number, _RUN, run_id)

    def spend(self, number: int, seconds: float) -> None:
        """Add to the time that was spent on a trial."""
        self._note(number, _SECONDS, self.all()[number].seconds + seconds)

    def report(self, number: int, value: float, epoch: int) -> bool:
        """Write down the number at the end of an epoch; return whether the trial is hopeless.

        Why is then written down as well, so that a process lost just then resumes nothing hopeless.
        """
        trial = self._handle(number)
        with self._writing():
            if epoch not in self._study.get_trials(deepcopy=False)[number].intermediate_values:
                trial.report(value, epoch)
            if not trial.should_prune():
                return False
            trial.set_user_attr(_HOPELESS, True)
        return True

    def complete(self, number: int, value: float) -> Trial:
        """Write down the result of a trial."""
        with self._writing():
            self._study.tell(number, value)
        return self.all()[number]

    def prune(self, number: int, why: str) -> Trial:
        """Write down that a trial was stopped or went astray; its region is then avoided."""
        return self._end(number, why, "PRUNED")

    def fail(self, number: int, why: str) -> Trial:
        """Write down that a trial failed, for a reason that need not lie in its values."""
        return self._end(number, why, "FAIL")

    def _end(self, number: int, why: str, state: str) -> Trial:
        import optuna

        self._note(number, _WHY, why)
        with self._writing():
            self._study.tell(number, state=optuna.trial.TrialState[state])
        return self.all()[number]

    def _note(self, number: int, key: str, value: str | float) -> None:
        with self._writing():
            self._handle(number).set_user_attr(key, value)

    def _handle(self, number: int) -> optuna.trial.Trial:
        import optuna

        trials = self._study.get_trials(deepcopy=False)
        return optuna.trial.Trial(self._study, trials[number]._trial_id)

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        import optuna

        digest = hashlib.sha256(f"{self._seed}:{number}".encode()).digest()
        return optuna.samplers.TPESampler(seed=int.from_bytes(digest[:4], "big"))

    def _trial(self, frozen: optuna.trial.FrozenTrial) -> Trial:
        states: dict[str, TrialState] = {"COMPLETE": "completed", "PRUNED": "pruned"}
        state = states.get(frozen.state.name, "failed" if frozen.state.is_finished() else "running")
        notes = frozen.user_attrs
        return Trial(
            number=frozen.number,
            state=state,
            values={name: frozen.params[name] for name in self._names if name in frozen.params},
            value=frozen.value if state == "completed" else None,
            run=str(notes.get(_RUN, "")),
            seconds=float(notes.get(_SECONDS, 0.0)),
            why=str(notes.get(_WHY, "")),
            is_hopeless=bool(notes.get(_HOPELESS, False)),
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Give a database that cannot be written its name."""
        import optuna
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as problem:
            cause = OSError(str(getattr(problem.__cause__ or problem, "orig", problem)))
            raise write_failure(self._folder.storage, cause) from problem


def _distribution(space: NumberRange | ChoiceList) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    if isinstance(space, ChoiceList):
        return distributions.CategoricalDistribution(space.ends)
    if space.is_whole:
        return distributions.IntDistribution(int(space.low), int(space.high), log=space.is_log)
    return distributions.FloatDistribution(space.low, space.high, log=space.is_log)


def _pruner(prune: Prune) -> optuna.pruners.BasePruner:
    import optuna

    if prune == "median":
        return optuna.pruners.MedianPruner()
    if prune == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1)
    return optuna.pruners.NopPruner()
