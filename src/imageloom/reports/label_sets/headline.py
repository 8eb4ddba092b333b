"""The numbers on top of the report on label sets, each with a sentence that says what it means."""

import math

from imageloom.metrics import mean_known
from imageloom.reports.charts import Markup, element, join
from imageloom.reports.evaluation.headline import notice_list, tile
from imageloom.reports.page import paragraph, strong
from imageloom.reports.words import decimals, percent
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation
from imageloom.system.wording import count


def label_set_headline(evaluation: LabelSetEvaluation, noted: tuple[str, ...] = ()) -> Markup:
    """Return tiles with the figures and a plain sentence.

    Args:
        evaluation: The figures.
        noted: What a person should know beside the evaluation's own notices.
    """
    averages = evaluation.averages
    mean = mean_known(evaluation.average_precisions)
    tiles = [
        tile(
            "Mean average precision",
            percent(mean) if math.isfinite(mean) else "unknown",
            "How well each label's pictures stand before the others, whatever the threshold; the "
            "mean over labels.",
            first=True,
        ),
        tile(
            "Micro F1",
            percent(averages.micro_f1),
            "Precision and recall of all labels together, at the thresholds in use.",
        ),
        tile("Macro F1", percent(averages.macro_f1), "The same, every label counting alike."),
        tile(
            "Exact match",
            percent(averages.exact_match),
            f"of {count(evaluation.images, 'picture')} were given all their labels and no other.",
        ),
        tile(
            "Hamming loss",
            percent(averages.hamming_loss),
            "of all decisions, one for each picture and label, are wrong.",
        ),
    ]
    notes = notice_list((*noted, *evaluation.notices))
    return join([element("dl", *tiles, class_="tiles"), _sentence(evaluation), notes])


def _sentence(evaluation: LabelSetEvaluation) -> Markup:
    known, given = evaluation.labels_per_image
    averages = evaluation.averages
    return paragraph(
        "Of the labels that the model gives, ",
        strong(percent(averages.micro_precision)),
        " are right, and of those that the pictures have it finds ",
        strong(percent(averages.micro_recall)),
        f". A picture has {decimals(known)} labels on average and is given {decimals(given)}.",
        style="lead",
    )
