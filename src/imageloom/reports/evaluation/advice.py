"""What to try next, from the numbers: each rule is one function that may have one thing to say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from imageloom.reports.charts import Markup, element, join
from imageloom.reports.evaluation.headline import mean_confidence
from imageloom.reports.page import Section, paragraph
from imageloom.reports.training.curves import Curves
from imageloom.reports.training.record import RecordedRun
from imageloom.reports.words import decimals, percent
from imageloom.scoring.evaluation import Evaluation
from imageloom.system.wording import count, some


@dataclass(frozen=True)
class Advice:
    """One thing to try.

    Attributes:
        title: What was seen, in a few words.
        text: What it means and what to do, with the numbers.
    """

    title: str
    text: Markup


MOST_ADVICE: Final = 6
_FEW_FROM_SCRATCH: Final = 5000
_PASSING_LIMITS: Final = ("network", "starting", "digests")  # nothing to change, or done once
_LEAST_SIZE_FOR_PRETRAINED: Final = 96  # pixels; below, what ImageNet's networks look for is lost


def advice_section(
    evaluation: Evaluation, curves: Curves | None = None, run: RecordedRun | None = None
) -> Section:
    """Return the section with what to try next."""
    found = advice(evaluation, curves or Curves([]), run or RecordedRun({}))[:MOST_ADVICE]
    if not found:
        body = paragraph("Nothing stands out. More pictures, or a larger network, may help.")
    else:
        items = [element("li", element("strong", one.title), one.text) for one in found]
        body = element("ul", *items, class_="hints")
    return Section("next", "What to try next", body)


def advice(evaluation: Evaluation, curves: Curves, run: RecordedRun) -> list[Advice]:
    """Return everything the rules have to say, the most important first."""
    of_run = [rule(curves, run) for rule in _RUN_RULES]
    of_scores = [rule(evaluation) for rule in _SCORE_RULES]
    return [one for one in (*of_run, *of_scores) if one is not None]


def _advice(title: str, text: str, *rest: str) -> Advice:
    """Join text and flags; what comes from a table is escaped with the rest."""
    return Advice(title, join([text, *rest]))


def _flag(text: str) -> Markup:
    return element("code", text)


def _has_not_learnt(curves: Curves, _run: RecordedRun) -> Advice | None:
    losses = list(curves.at_epochs("Train loss").values())
    if len(losses) < 2 or losses[-1] < 0.97 * losses[0]:
        return None
    return _advice(
        "The network hardly learnt",
        f"Its training loss was {decimals(losses[0])} after the first epoch and "
        f"{decimals(losses[-1])} after the last. Try a learning rate ten times higher, and if the "
        "loss then jumps about, one three times lower.",
    )


def _few_steps(_curves: Curves, run: RecordedRun) -> Advice | None:
    left = run.number("batch_norm_initial_fraction")
    if not left:
        return None
    return _advice(
        "Too few steps for BatchNorm",
        f"{percent(left)} of the running statistics by which validation and the model compute were "
        "to be still what they began with at the end of the epochs asked for, so the validation "
        "loss says little. Take more steps, with more ",
        _flag("--epochs"),
        " or a smaller ",
        _flag("--batch-size"),
        ", or begin with published weights, ",
        _flag("--weights imagenet"),
        ".",
    )


def _best_is_last(_curves: Curves, run: RecordedRun) -> Advice | None:
    if not run.best_epoch or run.best_epoch != run.epochs_done or not run.epochs_asked:
        return None
    return _advice(
        "It was still getting better",
        f"The best epoch, {run.best_epoch}, was the last. Train longer, for example with ",
        _flag(f"--epochs {max(run.epochs_asked * 2, run.epochs_asked + 5)}"),
        ". Patience stops the run once it no longer helps.",
    )


def _overfits(curves: Curves, run: RecordedRun) -> Advice | None:
    train, valid = curves.at_epochs("Train loss"), curves.at_epochs("Valid loss")
    common = sorted(set(train) & set(valid))
    if len(common) < 2 or not run.best_epoch or run.best_epoch >= common[-1]:
        return None
    last = common[-1]
    lowest = min(valid[epoch] for epoch in common)
    if train[last] > 0.6 * valid[last] or valid[last] < 1.05 * lowest:
        return None
    return _advice(
        "It learnt the training pictures by heart",
        f"In epoch {last} the training loss was {decimals(train[last])}, but the validation loss "
        f"had risen from {decimals(lowest)} to {decimals(valid[last])}. More pictures help most; "
        "then stronger augmentation, label smoothing, or a smaller network. The model kept is that "
        f"of epoch {run.best_epoch}.",
    )


def _from_scratch(_curves: Curves, run: RecordedRun) -> Advice | None:
    if not run.is_from_scratch or not 0 < run.training_images < _FEW_FROM_SCRATCH:
        return None
    if run.number("resolved", "image_size") < _LEAST_SIZE_FOR_PRETRAINED:
        return None
    return _advice(
        "Few pictures, from scratch",
        f"{count(run.training_images, 'training picture')} are few for a network that knows "
        "nothing. Pretrained weights usually gain more than any other change: make the model with ",
        _flag("--weights imagenet"),
        ".",
    )


def _waits_for_data(curves: Curves, run: RecordedRun) -> Advice | None:
    limit, text = run.text("speed_limit", "limit"), run.text("speed_limit", "text")
    if limit and text:
        return None if limit in _PASSING_LIMITS else _advice("The network was not the limit", text)
    waiting = list(curves.at_epochs("Waiting for data fraction").values())
    if not waiting or waiting[-1] < 0.3:
        return None
    return _advice(
        "Training waited for pictures",
        f"{percent(waiting[-1])} of the time of the last epoch went into reading them. More ",
        _flag("--workers"),
        " help as long as there are idle cores; copies of the pictures that are not "
        "larger than needed help always.",
    )


def _no_better_than_frequent(evaluation: Evaluation) -> Advice | None:
    share = evaluation.most_frequent_share
    if evaluation.accuracy_interval[0] > share:
        return None
    return _advice(
        "Not clearly better than a constant answer",
        f"Always naming the most frequent class is right for {percent(share)}, this model for "
        f"{percent(evaluation.averages.overall_accuracy)}. Check the labels, train longer, and try "
        "another learning rate before trusting it with anything.",
    )


def _missed_class(evaluation: Evaluation) -> Advice | None:
    figures = evaluation.figures
    never = np.flatnonzero((figures.predicted_K == 0) & (figures.support_K > 0))
    if len(never) == 0:
        return None
    named = some([evaluation.classes[index] for index in never])
    return _advice(
        "Some classes are never named",
        f"No picture was scored as {named}. Rare classes drown in frequent ones: try ",
        _flag("--class-weights balanced"),
        " or ",
        _flag("--sampling balanced"),
        ", or add pictures of them.",
    )


def _one_pair(evaluation: Evaluation) -> Advice | None:
    wrong = evaluation.images - evaluation.right
    num_classes = len(evaluation.classes)
    if not evaluation.pairs or num_classes < 3 or wrong < 10:
        return None
    pair = evaluation.pairs[0]
    back = int(evaluation.confusion_KK[pair.predicted, pair.label])
    even_share = 2 / (num_classes * (num_classes - 1))
    if (pair.images + back) / wrong < max(0.2, 2 * even_share):
        return None
    one, other = evaluation.classes[pair.label], evaluation.classes[pair.predicted]
    return _advice(
        "One pair makes many of the mistakes",
        f"{one} and {other} are taken for each other {pair.images + back:,} times, "
        f"{percent((pair.images + back) / wrong)} of all mistakes. Look at their pictures: are the "
        "labels right, and can a person tell them apart at this size?",
    )


def _confidence(evaluation: Evaluation) -> Advice | None:
    gap = mean_confidence(evaluation) - evaluation.averages.overall_accuracy
    if evaluation.calibration.error < 0.1 or abs(gap) < 0.05:
        return None
    if gap < 0:
        return _advice(
            "It is right more often than it says",
            f"On average it is {percent(mean_confidence(evaluation))} sure and right in "
            f"{percent(evaluation.averages.overall_accuracy)}. Less label smoothing, or more "
            "epochs, sharpen its probabilities.",
        )
    return _advice(
        "It is surer than it is right",
        f"On average it is {percent(mean_confidence(evaluation))} sure and right in "
        f"{percent(evaluation.averages.overall_accuracy)}. Do not read its probabilities as "
        "chances. ",
        _flag("--label-smoothing 0.1"),
        " usually helps.",
    )


def _sure_mistakes(evaluation: Evaluation) -> Advice | None:
    sure = sum(mistake.probability > 0.98 for mistake in evaluation.mistakes)
    if sure < 3:
        return None
    return _advice(
        "Some mistakes are very sure",
        f"{count(sure, 'picture')} of those shown below were scored wrongly with more than 98 %. "
        "Often such a picture has the wrong label: correct those first.",
    )


def _few_pictures(evaluation: Evaluation) -> Advice | None:
    low, high = evaluation.accuracy_interval
    if high - low < 0.1:
        return None
    return _advice(
        "Few pictures to measure with",
        f"From {count(evaluation.images, 'picture')} the accuracy is only known to lie between "
        f"{percent(low)} and {percent(high)}. Differences between two models that are smaller than "
        "this may be chance.",
    )


_RUN_RULES: Final[tuple[Callable[[Curves, RecordedRun], Advice | None], ...]] = (
    _few_steps,
    _has_not_learnt,
    _overfits,
    _best_is_last,
    _from_scratch,
    _waits_for_data,
)
_SCORE_RULES: Final[tuple[Callable[[Evaluation], Advice | None], ...]] = (
    _no_better_than_frequent,
    _missed_class,
    _one_pair,
    _sure_mistakes,
    _confidence,
    _few_pictures,
)
