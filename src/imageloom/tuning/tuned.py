"""How a search stands: its trials and the best of them."""

from dataclasses import dataclass

from imageloom.errors import ImageloomError
from imageloom.tuning.question import Question
from imageloom.tuning.study_folder import StudyFolder, StudyRecord
from imageloom.tuning.trials import Trial


@dataclass(frozen=True)
class TunedStudy:
    """How a search stands when ``tune`` returns.

    Attributes:
        folder: Its folder.
        record: What was asked.
        question: The same, as values.
        trials: All trials, by number.
        best: The best; None where none is complete.
        failure: Why there are fewer trials than were asked for; None when there are enough.
    """

    folder: StudyFolder
    record: StudyRecord
    question: Question
    trials: tuple[Trial, ...]
    best: Trial | None
    failure: ImageloomError | None

    def changes(self, trial: Trial) -> tuple[str, ...]:
        """Return what ``imageloom run`` takes after ``--set`` to do the same as a trial."""
        varied = (one.change(trial.values[one.name]) for one in self.question.varied)
        return (*self.record.changes, *varied)
