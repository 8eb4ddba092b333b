"""Whether the model's confidence can be believed."""

from dataclasses import asdict

from imageloom.reports.charts import Markup, ReliabilityBin, element, join, reliability_diagram
from imageloom.reports.evaluation.headline import mean_confidence
from imageloom.reports.page import Section, paragraph
from imageloom.reports.words import percent
from imageloom.scoring.evaluation import Evaluation


def reliability_section(evaluation: Evaluation) -> Section:
    """Return the section with the reliability diagram and how to read it."""
    confidence, right = mean_confidence(evaluation), evaluation.averages.overall_accuracy
    explained = join(
        [
            paragraph(
                "Pictures are sorted by how sure the model was. Where a bar ends on the dashed "
                "line, the model is right as often as it says. A bar below the line means that it "
                "is surer than it should be."
            ),
            paragraph(
                f"On average it was {percent(confidence)} sure and right in {percent(right)}. The "
                f"expected calibration error, {percent(evaluation.calibration.error)}, is the mean "
                "distance from the line, each picture counting the same "
                f"({len(evaluation.calibration.bins)} bins of equal width)."
            ),
            _key(),
        ]
    )
    body = element("div", diagram(evaluation), element("div", explained), class_="pair")
    return Section("reliability", "Can its confidence be believed?", body)


def diagram(evaluation: Evaluation) -> Markup:
    """Return the reliability diagram."""
    bins = [ReliabilityBin(**asdict(one)) for one in evaluation.calibration.bins]
    return element("figure", reliability_diagram(bins, title="Reliability diagram"))


def _key() -> Markup:
    return element(
        "ul",
        element("li", element("i", class_="hit"), "how often it was right"),
        element("li", element("i", class_="gap"), "distance to how sure it was"),
        class_="key",
    )
