"""``imageloom evaluate``."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.places import PathType, place_option
from imageloom.cli.screen import Column, line, percent, percent_range, table
from imageloom.cli.signals import NOT_WRITTEN
from imageloom.preprocessing.similar_names import shown
from imageloom.scoring.params import EvaluateParams

if TYPE_CHECKING:
    from imageloom.scoring.comparison import Comparison
    from imageloom.scoring.evaluate import AnyEvaluation
    from imageloom.scoring.evaluation import Evaluation
    from imageloom.scoring.label_set_evaluation import LabelSetEvaluation

_NUMBERS: Final = {"Log_Loss", "Expected_Calibration_Error"}  # the other figures are fractions
_INTERVALS: Final = {
    "Overall_Accuracy": attrgetter("accuracy_interval"),
    "Exact_Match": attrgetter("exact_match_interval"),
}
_TOP: Final = 5
_PAIRS_SHOWN: Final = 5
_LABELS_SHOWN: Final = 20


@call_command(
    "evaluate",
    examples=(
        "imageloom evaluate scores.parquet --out evaluation",
        "imageloom evaluate scores.parquet other-scores.parquet --out comparison",
    ),
)
@click.argument("scores", type=PathType())
@click.argument("other", type=PathType(), required=False)
@place_option("--out", "out", "The folder to write; it must not exist yet.")
@parameter_options(EvaluateParams, section="Evaluation")
def command(call: Call) -> Outcome:
    """Turn scores into figures and a report.

    SCORES is a table of 'imageloom score', with labels. With OTHER, a second one, the two are
    compared picture by picture. DIR holds report.html, evaluation.json, per_class.csv,
    confusion_matrix.csv and pictures.sqlite at the end; the first three where each picture may have
    several labels.
    """
    call.first_answer = NOT_WRITTEN
    from imageloom.reports.evaluate_to import evaluate_to
    from imageloom.scoring.comparison import Comparison
    from imageloom.scoring.label_set_evaluation import LabelSetEvaluation

    params = read_params(EvaluateParams, call.arguments)
    out = call.path("out")
    outcome = evaluate_to(
        call.path("scores"),
        out,
        other=call.path("other") if "other" in call.arguments else None,
        params=params,
        on_event=call.on_event,
        cancel=call.cancel,
    )
    tables: tuple[AnyEvaluation, ...] = (outcome,) if not isinstance(outcome, Comparison) else ()
    comparison = None
    if isinstance(outcome, Comparison):
        tables = (outcome.left, outcome.right)
        extra = _differences(outcome)
        comparison = outcome.to_json()
    elif isinstance(outcome, LabelSetEvaluation):
        extra = _weakest(outcome)
    else:
        extra = _confusions(outcome)
    report = out / "report.html"
    return Outcome(
        content={
            "evaluation": str(out),
            "report": str(report),
            "evaluations": [one.to_json() for one in tables],
            "comparison": comparison,
        },
        screen=(
            _figures(tables),
            *extra,
            line("Wrote", str(out)),
            line("Next", f"open {report} in a browser"),
        ),
    )


def figures_text(figures: Mapping[str, float], name: str) -> str:
    """Return one figure as people read it: fractions in percent, losses as numbers."""
    return f"{figures[name]:.4f}" if name in _NUMBERS else percent(figures[name])


def _figures(evaluations: "Sequence[AnyEvaluation]") -> RenderableType:
    columns: list[Column] = [("Figure", "left"), *((one.name, "right") for one in evaluations)]
    summaries = [one.summary() for one in evaluations]
    rows = [["Images", *(f"{one.images:,}" for one in evaluations)]]
    for name in summaries[0]:
        if name == "Top_5_Accuracy" and all(len(one.classes) <= _TOP for one in evaluations):
            continue  # it is always 100 %
        words = name.replace("_", " ")
        rows.append([words, *(figures_text(summary, name) for summary in summaries)])
        if name in _INTERVALS:
            intervals = map(_INTERVALS[name], evaluations)
            rows.append(["  its 95 % interval", *(percent_range(*one) for one in intervals)])
    return table(columns, rows)


def _confusions(evaluation: "Evaluation") -> tuple[RenderableType, ...]:
    pairs = evaluation.pairs[:_PAIRS_SHOWN]
    if not pairs:
        return (Text("No picture was given a wrong class."),)
    classes = evaluation.classes
    return (
        table(
            [("Label", "left"), ("Scored as", "left"), ("Pictures", "right"), ("Share", "right")],
            [
                [
                    shown(classes[pair.label]),
                    shown(classes[pair.predicted]),
                    f"{pair.images:,}",
                    percent(pair.fraction),
                ]
                for pair in pairs
            ],
            title="Most confused",
        ),
    )


def _weakest(evaluation: "LabelSetEvaluation") -> tuple[RenderableType, ...]:
    rows = sorted(evaluation.per_class(), key=lambda row: row["average_precision"] or 2.0)
    names = ("average_precision", "threshold", "precision", "recall", "f1")
    return (
        table(
            [
                ("Label", "left"),
                ("Pictures", "right"),
                *((name.replace("_", " ").capitalize(), "right") for name in names),
            ],
            [
                [
                    shown(str(row["class"])),
                    f"{row['support']:,}",
                    *(_cell(row[name], is_fraction=name != "threshold") for name in names),
                ]
                for row in rows[:_LABELS_SHOWN]
            ],
            title="Weakest labels" if len(rows) > _LABELS_SHOWN else "Labels, the weakest first",
        ),
    )


def _cell(value: str | int | float | None, *, is_fraction: bool) -> str:
    if not isinstance(value, float):
        return "-"
    return percent(value) if is_fraction else f"{value:.3f}"


def _differences(comparison: "Comparison") -> tuple[RenderableType, ...]:
    return (
        line(
            "Pictures",
            f"{comparison.both_right:,} right in both, {comparison.only_left:,} only in the first, "
            f"{comparison.only_right:,} only in the second, {comparison.neither:,} in neither",
        ),
        line("Chance", f"p = {comparison.chance:.2g} that equally good models differ so much"),
    )
