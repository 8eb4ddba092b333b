"""``imageloom score``."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.cli import pictures
from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.lost_runs import tell_if_lost
from imageloom.cli.places import place_option, root_option
from imageloom.cli.screen import command_line, line, percent, table
from imageloom.cli.signals import NOT_WRITTEN
from imageloom.scoring.params import ScoreParams
from imageloom.system.quick_imports import garbage_left_alone

if TYPE_CHECKING:
    from imageloom.scoring.tables.file import AnyTable

_CLASSES_SHOWN: Final = 20
_TITLES: Final = {"top1": "Top-1", "exact_match": "Exact"}


@call_command(
    "score",
    examples=(
        "imageloom score --model run --data test --out scores.parquet",
        "imageloom score --model run --data new-photos --out scores.csv --device cpu",
        "imageloom score --model run --data station1 --labels none --out scores.parquet",
    ),
)
@place_option("--model", "model", "A run, or a trained model directory.")
@place_option("--data", "data", "Pictures to score: an image directory, or a plain folder.")
@place_option("--out", "out", "The table to write: .parquet or .csv.", metavar="FILE")
@root_option
@parameter_options(ScoreParams, section="Scoring")
@pictures.shortcut_options()
def command(call: Call) -> Outcome:
    """Write the probabilities of every picture.

    The table has one row for each picture: file, label where it is known, 'Scored Labels', and
    'Scored Probabilities_<class>' for each class of the model. Of a model that may give several
    labels it has 'labels' and 'Scored Label Set' instead.
    """
    call.first_answer = NOT_WRITTEN
    with garbage_left_alone():
        from imageloom.scoring.score import score
        from imageloom.scoring.tables.scored_table import ScoredTable

    params = read_params(ScoreParams, call.arguments)
    tell_if_lost(call, call.path("model"))
    out = call.path("out")
    scored = score(
        call.path("model"),
        call.path("data"),
        out,
        root=call.roots,
        params=params,
        convert_params=pictures.shortcut_params(call.arguments),
        on_event=call.on_event,
        cancel=call.cancel,
    )
    found = _given(scored)
    labelled, right = _right(scored)
    name = "top1" if isinstance(scored, ScoredTable) else "exact_match"
    return Outcome(
        content={
            "scores": str(out),
            "images": len(scored),
            "labelled": labelled,
            "left_out": sum(scored.left_out.values()),
            "left_out_reasons": dict(scored.left_out),
            "scored_labels": found,
            name: right,
            "model_digest": scored.model_digest,
        },
        screen=(
            table(
                [("Scored as", "left"), ("Pictures", "right")],
                _most_frequent(found),
            ),
            *([] if right is None else [line(_TITLES[name], percent(right))]),
            line("Wrote", f"{out} ({len(scored):,} rows)"),
            line("Next", _next_step(out, labelled=right is not None)),
        ),
    )


def _given(scored: "AnyTable") -> dict[str, int]:
    """Return how many pictures were given each class."""
    from imageloom.scoring.tables.scored_table import ScoredTable

    if isinstance(scored, ScoredTable):
        counts = Counter(scored.predicted_N.tolist())
        return {name: counts[position] for position, name in enumerate(scored.classes)}
    numbers = scored.predicted_NK.sum(axis=0).tolist()
    return dict(zip(scored.classes, numbers, strict=True))


def _right(scored: "AnyTable") -> tuple[int, float | None]:
    """Return how many pictures have known labels, and which fraction of them was named rightly."""
    from imageloom.scoring.tables.scored_table import ScoredTable

    if isinstance(scored, ScoredTable):
        known_N = scored.labels_N >= 0
        right_N = (scored.labels_N == scored.predicted_N)[known_N]
    elif scored.labels_NK is None:
        return 0, None
    else:
        right_N = (scored.labels_NK == scored.predicted_NK).all(axis=1)
    return len(right_N), float(right_N.mean()) if len(right_N) else None


def _most_frequent(found: dict[str, int]) -> list[list[str]]:
    ordered = sorted(found.items(), key=lambda one: -one[1])
    rows = [[name, f"{count:,}"] for name, count in ordered[:_CLASSES_SHOWN]]
    rest = ordered[_CLASSES_SHOWN:]
    if rest:
        rows.append([f"{len(rest):,} other classes", f"{sum(count for _, count in rest):,}"])
    return rows


def _next_step(scores: Path, *, labelled: bool) -> str:
    if not labelled:
        return f"read the table, for example with pandas.read_{_reader(scores)}"
    return command_line("imageloom", "evaluate", scores, "--out", scores.with_name("evaluation"))


def _reader(scores: Path) -> str:
    return "csv" if scores.suffix == ".csv" else "parquet"
