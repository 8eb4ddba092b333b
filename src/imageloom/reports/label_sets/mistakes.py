"""Labels that were wrongly given or missed, and of which the model was surest."""

from imageloom.reports.charts import element, join
from imageloom.reports.evaluation.mistakes import Thumbnailer, picture_card, without_pictures
from imageloom.reports.page import Section, paragraph
from imageloom.scoring.label_set_evaluation import LabelSetEvaluation


def label_mistakes_section(
    evaluation: LabelSetEvaluation, thumbnail: Thumbnailer | None
) -> Section:
    """Return the section with the mistakes, surest first."""
    if not evaluation.mistakes:
        return Section("mistakes", "Most confident mistakes", paragraph("There is none."))
    cards = (
        picture_card(
            one.file,
            thumbnail,
            alt=f"{one.label}, {'missed' if one.is_missed else 'wrongly given'}",
            lines=[
                ("missed", one.label, one.probability, "truth")
                if one.is_missed
                else ("wrongly given", one.label, one.probability, "said")
            ],
        )
        for one in evaluation.mistakes
    )
    body = join(
        [
            paragraph(
                "The model was wrong about one label here and sure of it. Look for labels that "
                "people forgot, and for what these pictures have in common. The number is what the "
                "model gave the label."
            ),
            without_pictures(thumbnail),
            element("ul", *cards, class_="gallery"),
        ]
    )
    return Section("mistakes", "Most confident mistakes", body)
