"""Pictures whose label is probably wrong, with their pictures."""

from typing import Final

from imageloom.reports.charts import Markup, join
from imageloom.reports.evaluation.headline import notice_list
from imageloom.reports.evaluation.mistakes import Thumbnailer, gallery, without_pictures
from imageloom.reports.page import Section, paragraph
from imageloom.scoring.evaluation import Evaluation, Mistake
from imageloom.system.wording import count

_SHOWN: Final = 24


def label_errors_section(evaluation: Evaluation, thumbnail: Thumbnailer | None) -> Section:
    """Return the section with the most suspicious labels."""
    found = evaluation.label_errors
    shown = [
        Mistake(
            file=one.file,
            label=one.label,
            scored_label=one.suggested_label,
            probability=one.suggested_probability,
            label_probability=one.label_probability,
        )
        for one in found.listed[:_SHOWN]
        if one.is_suspicious
    ]
    if found.suspicious == 0:
        body: Markup = paragraph("No label is suspicious.")
    else:
        body = join(
            [
                paragraph(
                    f"The labels of {count(found.suspicious, 'picture')} of {found.images:,} are "
                    "suspicious: the model counts them to another class as surely as it does "
                    "pictures of that class. The most suspicious come first; look at them before "
                    "you train again."
                ),
                without_pictures(thumbnail),
                gallery(shown, thumbnail, said="looks like", truth="labelled"),
                notice_list(found.notices),
            ]
        )
    return Section("label-errors", "Possible label errors", body)
