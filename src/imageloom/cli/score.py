"""``imageloom score``."""

from collections import Counter

from imageloom.cli.flags import parameter_options, read_params
from imageloom.cli.job import Job, Outcome, job_command
from imageloom.cli.places import place_option
from imageloom.cli.screen import command_line, line, percent, table
from imageloom.scoring.params import ScoreParams


@job_command("score")
@place_option("--model", "model", "A run, or a trained model directory.")
@place_option("--data", "data", "Pictures to score: an image directory, or a plain folder.")
@place_option("--out", "out", "The table to write: .parquet or .csv.", metavar="FILE")
@parameter_options(ScoreParams, section="Scoring")
def command(job: Job) -> Outcome:
    """Write the probabilities of every picture.

    The table has one row for each picture: file, label where it is known, 'Scored Labels', and
    'Scored Probabilities_<class>' for each class of the model.
    """
    from imageloom.scoring.score import score

    params = read_params(ScoreParams, job.arguments)
    out = job.path("out")
    scored = score(
        job.path("model"),
        job.path("data"),
        out,
        params=params,
        on_event=job.on_event,
        cancel=job.cancel,
    )
    found = Counter(scored.scored_labels)
    right = _accuracy(scored.labels, scored.scored_labels)
    evaluate = command_line("imageloom", "evaluate", out, "--out", out.with_name("evaluation"))
    return Outcome(
        content={
            "scores": str(out),
            "images": len(scored.scored_labels),
            "scored_labels": {name: found[name] for name in scored.classes},
            "top1": right,
        },
        screen=(
            table(
                [("Scored as", "left"), ("Pictures", "right")],
                [[name, f"{found[name]:,}"] for name in scored.classes],
            ),
            *([] if right is None else [line("Top-1", percent(right))]),
            line("Wrote", f"{out} ({len(scored.scored_labels):,} rows)"),
            *([] if right is None else [line("Next", evaluate)]),
        ),
    )


def _accuracy(labels: tuple[str, ...] | None, scored: tuple[str, ...]) -> float | None:
    if labels is None or not scored:
        return None
    return sum(a == b for a, b in zip(labels, scored, strict=True)) / len(scored)
