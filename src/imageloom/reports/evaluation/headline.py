"""The numbers on top of a report, each with a sentence that says what it means."""

import math

from imageloom.reports.charts import Markup, element, join
from imageloom.reports.page import paragraph, strong
from imageloom.reports.words import decimals, percent
from imageloom.scoring.evaluation import Evaluation
from imageloom.system.wording import count

_MORE_THAN_FIVE = 5


def headline(evaluation: Evaluation, noted: tuple[str, ...] = ()) -> Markup:
    """Return tiles with the figures and a plain sentence about the first.

    Args:
        evaluation: The figures.
        noted: What a person should know beside the evaluation's own notices.
    """
    tiles = [
        _accuracy_tile(evaluation),
        tile(
            "Macro F1",
            percent(evaluation.averages.macro_f1),
            "Precision and recall in one number, every class counting the same.",
        ),
        tile("Log loss", decimals(evaluation.log_loss), _loss_words(evaluation)),
        tile(
            "Calibration error",
            percent(evaluation.calibration.error),
            _calibration_words(evaluation),
        ),
    ]
    if len(evaluation.classes) > _MORE_THAN_FIVE:
        top5 = tile(
            "Top-5 accuracy",
            percent(evaluation.top5),
            "The true class is among the five that the model finds most likely.",
        )
        tiles.insert(1, top5)
    notes = notice_list((*noted, *evaluation.notices))
    return join([element("dl", *tiles, class_="tiles"), _sentence(evaluation), notes])


def tile(title: str, value: str, words: str, *, first: bool = False) -> Markup:
    """Return one figure with its name above and its meaning below."""
    return element(
        "div",
        element("dt", title),
        element("dd", value, class_="big"),
        element("dd", words, class_="small"),
        class_="tile first" if first else "tile",
    )


def notice_list(messages: tuple[str, ...]) -> Markup:
    """Return sentences as a marked list, or nothing."""
    if not messages:
        return Markup()
    items = [element("li", element("bdi", message)) for message in messages]
    return element("ul", *items, class_="notices")


def _accuracy_tile(evaluation: Evaluation) -> Markup:
    words = f"{evaluation.right:,} of {count(evaluation.images, 'picture')} right."
    value = percent(evaluation.averages.overall_accuracy)
    return tile("Top-1 accuracy", value, words, first=True)


def _sentence(evaluation: Evaluation) -> Markup:
    low, high = evaluation.accuracy_interval
    return paragraph(
        "The model names the right class for ",
        strong(percent(evaluation.averages.overall_accuracy)),
        f" of these pictures. From {count(evaluation.images, 'picture')}, its true rate lies "
        f"between {percent(low)} and {percent(high)} with 95 % confidence. Always naming the most "
        f"frequent class would be right for {percent(evaluation.most_frequent_share)}.",
        style="lead",
    )


def _loss_words(evaluation: Evaluation) -> str:
    even = math.log(len(evaluation.classes))
    return f"Lower is better. Giving every class the same chance would have {decimals(even)}."


def _calibration_words(evaluation: Evaluation) -> str:
    gap = mean_confidence(evaluation) - evaluation.averages.overall_accuracy
    if evaluation.calibration.error < 0.02:
        return "The model is about as sure as it is right."
    return f"On average the model is {'surer' if gap > 0 else 'less sure'} than it is right."


def mean_confidence(evaluation: Evaluation) -> float:
    """Return the mean of the highest probabilities, 0 to 1."""
    bins = evaluation.calibration.bins
    total = sum(one.images for one in bins)
    return sum(one.mean_confidence * one.images for one in bins) / total if total else 0.0
