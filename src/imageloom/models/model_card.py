"""The README.md of a model directory: what the model is, for a person and for a web page."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Final

from imageloom.errors import printable
from imageloom.models.family import FAMILIES
from imageloom.models.record import DataFacts, TrainedRecord, UntrainedRecord, WeightsSource

_MAX_CLASSES_SHOWN: Final = 100
_MAX_TEXT_CHARS: Final = 300
# What has a meaning in Markdown: anywhere, at the start of a line, and in a bare address. An
# underscore between letters has none.
_ANYWHERE: Final = re.compile(r"([\\`*\[\]#|~!$^]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9]))")
_AT_START: Final = re.compile(r"^(\s*)([-+=]|\d+(?=[.)](?:\s|$)))")
_IN_ADDRESS: Final = re.compile(r":(?=//)|(?<=www)\.|@")


def literal(text: str) -> str:
    """Return foreign text so that Markdown and HTML show it as it is, on one line."""
    short = text if len(text) <= _MAX_TEXT_CHARS else text[: _MAX_TEXT_CHARS - 1] + "…"
    one_line = printable(short.replace("\n", "\\n"))
    escaped = html.escape(_ANYWHERE.sub(r"\\\1", one_line), quote=False)
    return _AT_START.sub(_escape_start, _IN_ADDRESS.sub(r"\\\g<0>", escaped))


def _escape_start(found: re.Match[str]) -> str:
    space, mark = found.groups()
    return f"{space}&#{ord(mark[0])};{mark[1:]}"  # a digit cannot be escaped by a backslash


def trained_card(record: TrainedRecord) -> str:
    """Return the card of a trained model."""
    architecture = record.architecture
    family = FAMILIES.get(architecture.family)
    size = record.preprocessing.input_size
    count = len(record.classes)
    gives = "It gives one probability per class; they sum to 1."
    if record.label_thresholds is not None:
        gives = (
            "A picture may have several of these labels, or none: it gives the probability of each "
            "by itself, and a label from its threshold on, which `model.json` has under "
            "`label_thresholds`."
        )
    return "\n".join(
        [
            f"# {architecture.title} for {count:,} class{'es' if count != 1 else ''}",
            "",
            f"An image classifier made by Imageloom: {architecture.title} "
            f"({family.source}), for pictures of {size} x {size} pixels. {gives}",
            "",
            *_classes(record.classes),
            *_section("Training", _training_lines(record)),
            *_section("Measured", _metric_lines(record.metrics)),
            *_section("Pictures", _data_lines(record.data)),
            *_use(record),
            *_limits(record),
            *_to_be_written(),
            *_section("Made with", _pairs(record.versions)),
        ]
    )


def untrained_card(record: UntrainedRecord) -> str:
    """Return the card of an untrained model."""
    architecture = record.architecture
    return "\n".join(
        [
            f"# {architecture.title}, untrained",
            "",
            f"A network for Imageloom before training: {architecture.title} "
            f"({FAMILIES.get(architecture.family).source}). {_start(record.weights)} Its "
            "classification layer is made for your classes when training starts.",
            "",
            "```",
            "imageloom train --model THIS_DIRECTORY --train PICTURES --validation PICTURES "
            "--out RUN",
            "```",
            "",
            *_section("Options", _pairs(architecture.options)),
            *_section("Made with", _pairs(record.versions)),
        ]
    )


def _classes(classes: Sequence[str]) -> list[str]:
    lines = [f"{number}. {literal(name)}" for number, name in enumerate(classes)]
    shown = lines[:_MAX_CLASSES_SHOWN]
    more = len(lines) - len(shown)
    rest = [f"\n... and {more:,} more in `model.json`."] if more else []
    return _section("Classes, in the order of the outputs", [*shown, *rest])


def _training_lines(record: TrainedRecord) -> list[str]:
    values = _pairs(record.parameters)
    return [f"- {_start(record.initial_weights)}", *_pairs(record.architecture.options), *values]


def _start(source: WeightsSource) -> str:
    if source.kind == "random":
        return "Training starts from random weights."
    digest = f", SHA-256 {source.sha256[:12]}" if source.sha256 else ""
    words = {"published": "published weights", "file": "a file", "model": "an earlier model"}
    return f"Training starts from {words[source.kind]}: {literal(source.name)}{literal(digest)}."


def _metric_lines(metrics: Mapping[str, float | None]) -> list[str]:
    return [
        f"- {literal(name)}: {'not a finite number' if value is None else f'{value:.6g}'}"
        for name, value in metrics.items()
    ]


def _data_lines(data: Mapping[str, DataFacts]) -> list[str]:
    return [
        f"- {literal(name)}: {facts.images:,} pictures, digest {literal(facts.digest[:16])}"
        for name, facts in data.items()
    ]


def _pairs(values: Mapping[str, object]) -> list[str]:
    return [f"- {literal(name)}: {literal(str(value))}" for name, value in values.items()]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if lines else []


def _use(record: TrainedRecord) -> list[str]:
    architecture = record.architecture
    family = FAMILIES.get(architecture.family)
    build = family.torch_code(architecture.variant, architecture.params, len(record.classes))
    normalisation = record.preprocessing.normalisation
    size = record.preprocessing.input_size
    function = "softmax" if record.label_thresholds is None else "a sigmoid of each"
    return [
        "## Use",
        "",
        "With Imageloom, which also prepares the pictures:",
        "",
        "```python",
        "import imageloom",
        "",
        'table = imageloom.score("this-directory", "folder-of-pictures", "scores.parquet")',
        "```",
        "",
        "With PyTorch alone:",
        "",
        "```python",
        "import safetensors.torch",
        build,
        'network.load_state_dict(safetensors.torch.load_file("weights.safetensors"))',
        "network.eval()",
        "```",
        "",
        f"The input is float32, [batch, 3, {size}, {size}], RGB: pixel values divided by 255, "
        f"minus {list(normalisation.mean)}, divided by {list(normalisation.std)}. `model.json` has "
        "the steps before that under `preprocessing`. Output i belongs to class i of the list "
        f"above; {function} makes probabilities of them.",
        "",
    ]


def _to_be_written() -> list[str]:
    """Return what only people know; whoever shares the model fills it in.

    Source:
        Mitchell et al. 2019, Model Cards for Model Reporting (intended use, out-of-scope uses).
    """
    return _section(
        "To be written by whoever shares the model",
        [
            "- Intended use:",
            "- Not meant for:",
            "- Licence:",
            "- Source and licence of the pictures:",
        ],
    )


def _limits(record: TrainedRecord) -> list[str]:
    answers = (
        "It answers with one of its classes for every picture, also for one that shows none of "
        "them."
    )
    if record.label_thresholds is not None:
        answers = "It knows no other labels than these, whatever else a picture shows."
    return _section(
        "Limits",
        [
            f"- {answers}",
            "- The figures above hold for pictures like those it was measured on. Measure again on "
            "your own with `imageloom score` and `imageloom evaluate`.",
        ],
    )
